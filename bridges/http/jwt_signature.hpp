#pragma once

#include "bridges/http/jwt.hpp"

#include <openssl/evp.h>

#include <memory>
#include <string>
#include <string_view>

namespace troupe {

/// One key, ready for use. Threads: any.
class jwt_signer {
public:
  /// Errors: `ec::invalid_config`: a weak secret, a malformed key, two halves that do not match.
  static caf::expected<jwt_signer> make(const jwt_key& key);

  const std::string& id() const {
    return id_;
  }
  jwt_algorithm algorithm() const {
    return algorithm_;
  }

  /// Compares in constant time.
  bool verify(std::string_view text, std::string_view signature) const;

  /// Errors: `ec::invalid_argument` without a private key.
  caf::expected<std::string> sign(std::string_view text) const;

private:
  std::string id_;
  jwt_algorithm algorithm_ = jwt_algorithm::hs256;
  std::string secret_;
  std::shared_ptr<EVP_PKEY> key_; ///< EdDSA.
  bool can_sign_ = true;
};

/// Returns the value of the header member `alg`.
std::string_view name_of(jwt_algorithm algorithm);

/// HMAC with SHA-256. Source: RFC 2104.
std::string hmac_sha256(std::string_view secret, std::string_view text);

} // namespace troupe
