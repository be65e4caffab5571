#pragma once

#include "nodes/cluster/tls_material.hpp"

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace troupe {

/// TLS over one connected, non-blocking socket that somebody else owns.
/// Threads: one at a time.
class tls_session {
public:
  enum class role : uint8_t { client, server };
  enum class step : uint8_t { done, wants_read, wants_write, failed };

  /// Asked once about a certificate that the authority vouches for.
  using judge_function = std::function<std::optional<refusal>(const certificate_facts&)>;

  tls_session(std::shared_ptr<const tls_material> material, int fd, role as, judge_function judge);
  ~tls_session();
  tls_session(const tls_session&) = delete;
  tls_session& operator=(const tls_session&) = delete;

  /// Goes on with the handshake.
  step handshake();

  /// After `failed`: why, and OpenSSL's words.
  refusal why() const {
    return why_;
  }
  const std::string& detail() const {
    return detail_;
  }

  /// What the peer's certificate says; empty before it was seen.
  const certificate_facts& peer() const {
    return peer_;
  }

  /// After `done`: the certificates from the peer's to its authority's.
  certificate_chain chain() const;

  /// Moves bytes. Returns how many; 0: not now; -1: the connection is over.
  ssize_t read(void* into, size_t size);
  ssize_t write(const void* from, size_t size);

  /// Bytes that were decrypted and not read yet.
  size_t pending() const;

private:
  static int on_certificate(int good, X509_STORE_CTX* check);
  bool accept(X509* leaf);
  void explain_failure(int code);
  ssize_t outcome(int moved);

  struct ssl_deleter {
    void operator()(SSL* ssl) const {
      SSL_free(ssl);
    }
  };

  std::shared_ptr<const tls_material> material_;
  std::unique_ptr<SSL, ssl_deleter> ssl_;
  judge_function judge_;
  certificate_facts peer_;
  bool judged_ = false;
  refusal why_ = refusal::hung_up;
  std::string detail_;
};

} // namespace troupe
