#include "nodes/cluster/authority/key_pair.hpp"

#include "config/text_file.hpp"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <sys/stat.h>

#include <array>

namespace troupe {

namespace {

constexpr auto longest_key_file = size_t{64} << 10;

/// Refuses to ask a terminal for a passphrase: a program has nobody to ask.
int no_passphrase(char*, int, int, void*) {
  return -1;
}

} // namespace

secret_text::~secret_text() {
  OPENSSL_cleanse(text_.data(), text_.size());
}

caf::expected<key_pair> make_key_pair() {
  auto out = key_pair{EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519")};
  if (!out)
    return fault(ec::unavailable, "no key can be made: " + openssl_reason());
  return out;
}

std::string private_pem(const key_pair& key) {
  auto bio = BIO_new(BIO_s_secmem());
  auto out = std::string{};
  if (PEM_write_bio_PKCS8PrivateKey(bio, key.get(), nullptr, nullptr, 0, nullptr, nullptr) == 1) {
    char* text = nullptr;
    auto size = BIO_get_mem_data(bio, &text);
    out.assign(text, static_cast<size_t>(size));
  }
  BIO_free(bio);
  return out;
}

caf::expected<key_pair> read_private_key(const std::string& path, key_readers readers) {
  auto pem = read_text_file(path, longest_key_file);
  if (!pem)
    return fault_at(explain(pem.error()).code, path, explain(pem.error()).text);
  auto secret = secret_text{std::move(*pem)};
  struct stat is {};
  if (::stat(path.c_str(), &is) == 0 && (is.st_mode & static_cast<unsigned>(readers)) != 0)
    return fault_at(ec::forbidden, path,
                    "others may use the key: chmod 600 it, and make a new one if they did");
  auto bio = BIO_new_mem_buf(secret.text().data(), static_cast<int>(secret.text().size()));
  auto out = key_pair{PEM_read_bio_PrivateKey(bio, nullptr, no_passphrase, nullptr)};
  BIO_free(bio);
  if (!out)
    return fault_at(ec::invalid_argument, path, "holds no private key: " + openssl_reason());
  return out;
}

std::string fingerprint_of(EVP_PKEY* key) {
  unsigned char* der = nullptr;
  auto size = i2d_PUBKEY(key, &der);
  if (size <= 0)
    return {};
  auto hash = std::array<unsigned char, EVP_MAX_MD_SIZE>{};
  auto length = 0U;
  EVP_Digest(der, static_cast<size_t>(size), hash.data(), &length, EVP_sha256(), nullptr);
  OPENSSL_free(der);
  constexpr auto digits = "0123456789abcdef";
  auto out = std::string{"sha256:"};
  for (auto i = 0U; i < length; ++i) {
    out += digits[hash[i] >> 4];
    out += digits[hash[i] & 15];
  }
  return out;
}

std::string openssl_reason() {
  auto code = ERR_peek_last_error();
  const auto* text = code == 0 ? nullptr : ERR_reason_error_string(code);
  ERR_clear_error();
  return text == nullptr ? "no reason given" : text;
}

} // namespace troupe
