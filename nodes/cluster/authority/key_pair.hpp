#pragma once

#include "messages/error.hpp"

#include <openssl/evp.h>

#include <memory>
#include <string>

namespace troupe {

struct key_pair_deleter {
  void operator()(EVP_PKEY* key) const {
    EVP_PKEY_free(key);
  }
};

/// An Ed25519 key of this program, or any key of a file or certificate.
using key_pair = std::unique_ptr<EVP_PKEY, key_pair_deleter>;

/// Text that is overwritten before its memory is given back.
class secret_text {
public:
  explicit secret_text(std::string text) : text_{std::move(text)} {}
  secret_text(const secret_text&) = delete;
  secret_text& operator=(const secret_text&) = delete;
  ~secret_text();

  const std::string& text() const {
    return text_;
  }

private:
  std::string text_;
};

/// Returns a new key.
caf::expected<key_pair> make_key_pair();

/// Returns the key as PEM (PKCS #8, not encrypted).
std::string private_pem(const key_pair& key);

/// Who beside its owner may read a key file: where keys are mounted or installed
/// by root for a service, its group can.
enum class key_readers : unsigned { owner = 0077, group = 0027 };

/// Returns the private key of a file. Errors: `ec::not_found`; `ec::forbidden` if
/// others may read the file, or its group write it; `ec::invalid_argument` if it
/// holds no such key; `ec::unavailable`. The place is the path.
caf::expected<key_pair> read_private_key(const std::string& path,
                                         key_readers readers = key_readers::group);

/// Returns "sha256:" and 64 hexadecimal digits: the hash of the public key as it
/// stands in certificates (SubjectPublicKeyInfo, DER).
std::string fingerprint_of(EVP_PKEY* key);

/// Returns what OpenSSL says of its last failure and forgets it.
std::string openssl_reason();

} // namespace troupe
