#pragma once

#include "nodes/cluster/authority/certificate.hpp"
#include "nodes/cluster/peer_policy.hpp"

#include <openssl/ssl.h>

#include <memory>
#include <optional>
#include <string>

namespace troupe {

/// Where a node's identity lies, as PEM.
struct tls_files {
  std::string certificate; ///< The node's, intermediates behind it.
  std::string key;         ///< Its private key; nobody else may read it.
  std::string authority;   ///< The cluster's authority.
  /// One serial (hexadecimal digits) or key fingerprint ("sha256:...") a line;
  /// what follows a '#' is a comment.
  std::optional<std::string> revoked;
};

/// The files of `tls_files`, read and found to fit together.
struct tls_material {
  std::shared_ptr<SSL_CTX> ssl;
  certificate_facts own;
  revocations revoked;
};

/// Returns what OpenSSL's verdict about a chain of certificates means.
refusal refusal_of_chain(int code);

/// Returns why a chain that was good once is not accepted any more, if so.
std::optional<refusal> judge(const tls_material& by, const certificate_chain& chain);

/// Reads and checks the files: they are there, the key is the certificate's and
/// private, the authority signed it, it is valid now for clients and servers and
/// names a node. TLS 1.3 only, both sides show a certificate, nothing is resumed.
/// Errors: `ec::not_found`, `ec::forbidden`, `ec::invalid_argument`, each with the path.
caf::expected<std::shared_ptr<const tls_material>> read_tls_material(const tls_files& files);

} // namespace troupe
