#pragma once

#include "nodes/cluster/tls_session.hpp"
#include "nodes/cluster/transport_socket.hpp"

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

namespace troupe::tests {

/// A connection over which a test says what no node says.
class raw_peer {
public:
  /// Connects from and to loopback; `from` "127.0.0.7" and the like.
  explicit raw_peer(uint16_t port, const std::string& from = "127.0.0.1");

  /// Shakes hands with these files; returns whether it went well as far as a
  /// client can see. A server may still refuse afterwards.
  bool secure(const std::shared_ptr<const tls_material>& as);

  /// Sends as much as goes within a second; false if the connection is over.
  bool send(std::string_view bytes);

  /// Reads until the other side closes or `limit` is over; true if it closed.
  bool ends_within(std::chrono::milliseconds limit);

  /// Reads at least `size` bytes if they come within a second.
  std::string read(size_t size);

  bool connected() const {
    return static_cast<bool>(fd_);
  }
  int fd() const {
    return fd_.get();
  }

private:
  bool wait(short events, std::chrono::milliseconds limit) const;
  ssize_t read_some(char* into, size_t size);

  owned_fd fd_;
  std::unique_ptr<tls_session> tls_;
};

/// Returns a client's side that trusts anybody of `like`'s authority and shows no certificate.
std::shared_ptr<const tls_material> without_certificate(const tls_files& like);

/// Returns the other files as they are, expired or foreign, for a client that checks nothing.
std::shared_ptr<const tls_material> unchecked(const tls_files& files);

} // namespace troupe::tests
