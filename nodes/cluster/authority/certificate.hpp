#pragma once

#include "nodes/cluster/authority/key_pair.hpp"

#include <openssl/x509.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace troupe {

struct certificate_deleter {
  void operator()(X509* certificate) const {
    X509_free(certificate);
  }
};

/// An X.509 certificate.
using certificate = std::unique_ptr<X509, certificate_deleter>;

/// A node's certificate and those that vouch for it, each for the one before.
using certificate_chain = std::shared_ptr<stack_st_X509>;
void free_chain(stack_st_X509* chain);

/// When the first certificate of a chain ends, Unix seconds.
int64_t end_of(const certificate_chain& chain);

/// What a certificate says.
struct certificate_facts {
  std::string subject;            ///< Common name; empty if it has none.
  std::vector<std::string> names; ///< DNS names; a node's own name is the first.
  std::vector<std::string> addresses;
  bool authority = false; ///< It may sign others.
  int64_t not_before = 0; ///< Unix seconds.
  int64_t not_after = 0;
  std::string serial;      ///< Hexadecimal digits.
  std::string fingerprint; ///< Of its public key: "sha256:" and 64 hexadecimal digits.
};

/// What a new certificate shall say. Times are Unix seconds.
struct certificate_order {
  std::string node;               ///< Empty: an authority.
  std::vector<std::string> hosts; ///< Further DNS names and IP addresses of a node.
  int64_t not_before = 0;
  int64_t not_after = 0;
};

/// Returns a certificate for `subject` (its public half) that `signer` signed:
/// of the authority `issuer`, or of itself if there is none. X.509 v3. An
/// authority may sign nodes only (path length 0); a node may be client and server.
caf::expected<certificate> sign_certificate(const certificate_order& order, const key_pair& subject,
                                            const key_pair& signer, const certificate& issuer);

std::string certificate_pem(const certificate& from);

/// Returns the first certificate of a file. Errors: `ec::not_found`,
/// `ec::invalid_argument`, `ec::unavailable`; the place is the path.
caf::expected<certificate> read_certificate(const std::string& path);

certificate_facts facts_of(const certificate& from);

/// Whether `host` may stand in a certificate: an IP address, or a DNS name
/// without wildcard.
bool is_certifiable_host(const std::string& host);

} // namespace troupe
