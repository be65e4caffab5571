#include "bridges/http/jwt_signature.hpp"

#include <openssl/crypto.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>

#include <algorithm>
#include <array>

namespace troupe {

namespace {

constexpr size_t ed25519_key = 32;
constexpr size_t ed25519_signature = 64;

using key_ptr = std::shared_ptr<EVP_PKEY>;
using digest_ptr = std::unique_ptr<EVP_MD_CTX, decltype(&::EVP_MD_CTX_free)>;

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

key_ptr own(EVP_PKEY* key) {
  return {key, &::EVP_PKEY_free};
}

std::string raw_public(EVP_PKEY* key) {
  auto out = std::string(ed25519_key, '\0');
  auto size = out.size();
  if (::EVP_PKEY_get_raw_public_key(key, reinterpret_cast<unsigned char*>(out.data()), &size) != 1)
    return {};
  return out;
}

std::string raw_private(EVP_PKEY* key) {
  auto out = std::string(ed25519_key, '\0');
  auto size = out.size();
  if (::EVP_PKEY_get_raw_private_key(key, reinterpret_cast<unsigned char*>(out.data()), &size) != 1)
    return {};
  return out;
}

} // namespace

std::string_view name_of(jwt_algorithm algorithm) {
  return algorithm == jwt_algorithm::hs256 ? "HS256" : "EdDSA";
}

std::string hmac_sha256(std::string_view secret, std::string_view text) {
  auto out = std::string(32, '\0');
  auto size = 0u;
  ::HMAC(::EVP_sha256(), secret.data(), static_cast<int>(secret.size()), bytes_of(text),
         text.size(), reinterpret_cast<unsigned char*>(out.data()), &size);
  return out;
}

caf::error check_secret(std::string_view secret) {
  if (secret.size() < 32)
    return fault(ec::invalid_config, "the token secret is shorter than 32 bytes");
  // Secrets of documentation, and of programs whose example people copy.
  static constexpr std::string_view known[] = {
    "your-256-bit-secret", "your-secret-key", "secretsecretsecretsecretsecretsecret",
    "a-string-secret-at-least-256-bits-long",
    "09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7", // FastAPI's
                                                                        // tutorial
    "change-me", "changeme", "example", "0123456789abcdef0123456789abcdef",
    "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-"
    "1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow", // RFC 7515
  };
  for (auto example : known)
    if (secret.find(example) != secret.npos)
      return fault(ec::invalid_config, "the token secret is a known example");
  auto seen = std::array<bool, 256>{};
  for (auto c : secret)
    seen[static_cast<unsigned char>(c)] = true;
  if (std::count(seen.begin(), seen.end(), true) < 8)
    return fault(ec::invalid_config, "the token secret is not random");
  return caf::none;
}

caf::expected<jwt_key> parse_ed25519_pem(std::string id, std::string_view pem) {
  auto memory = std::unique_ptr<BIO, decltype(&::BIO_free)>{
    ::BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), &::BIO_free};
  auto is_private = pem.find("PRIVATE KEY") != pem.npos;
  // An empty passphrase: an encrypted key must fail, not ask on the terminal.
  auto none = std::string{};
  auto key = own(is_private ? ::PEM_read_bio_PrivateKey(memory.get(), nullptr, nullptr, none.data())
                            : ::PEM_read_bio_PUBKEY(memory.get(), nullptr, nullptr, none.data()));
  if (!key || ::EVP_PKEY_id(key.get()) != EVP_PKEY_ED25519)
    return fault(ec::invalid_argument, "this is no Ed25519 key in PEM");
  auto out = jwt_key{std::move(id), jwt_algorithm::eddsa, {}, raw_public(key.get())};
  if (is_private)
    out.secret = raw_private(key.get());
  return out;
}

caf::expected<jwt_signer> jwt_signer::make(const jwt_key& key) {
  auto out = jwt_signer{};
  out.id_ = key.id;
  out.algorithm_ = key.algorithm;
  if (key.algorithm == jwt_algorithm::hs256) {
    if (auto err = check_secret(key.secret))
      return err;
    out.secret_ = key.secret;
    return out;
  }
  out.can_sign_ = !key.secret.empty();
  const auto& half = out.can_sign_ ? key.secret : key.public_key;
  auto make = out.can_sign_ ? &::EVP_PKEY_new_raw_private_key : &::EVP_PKEY_new_raw_public_key;
  if (half.size() == ed25519_key)
    out.key_ = own(make(EVP_PKEY_ED25519, nullptr, bytes_of(half), half.size()));
  if (!out.key_)
    return fault(ec::invalid_config, "an Ed25519 key is malformed");
  if (!key.public_key.empty() && raw_public(out.key_.get()) != key.public_key)
    return fault(ec::invalid_config, "an Ed25519 private key does not match its public key");
  return out;
}

bool jwt_signer::verify(std::string_view text, std::string_view signature) const {
  if (algorithm_ == jwt_algorithm::hs256) {
    auto expected = hmac_sha256(secret_, text);
    return signature.size() == expected.size()
           && ::CRYPTO_memcmp(signature.data(), expected.data(), expected.size()) == 0;
  }
  auto context = digest_ptr{::EVP_MD_CTX_new(), &::EVP_MD_CTX_free};
  return signature.size() == ed25519_signature && context
         && ::EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, key_.get()) == 1
         && ::EVP_DigestVerify(context.get(), bytes_of(signature), signature.size(), bytes_of(text),
                               text.size())
              == 1;
}

caf::expected<std::string> jwt_signer::sign(std::string_view text) const {
  if (!can_sign_)
    return fault(ec::invalid_argument, "the first token key has no private half");
  if (algorithm_ == jwt_algorithm::hs256)
    return hmac_sha256(secret_, text);
  auto out = std::string(ed25519_signature, '\0');
  auto size = out.size();
  auto context = digest_ptr{::EVP_MD_CTX_new(), &::EVP_MD_CTX_free};
  if (!context || ::EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key_.get()) != 1
      || ::EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(out.data()), &size,
                          bytes_of(text), text.size())
           != 1)
    return fault(ec::unspecified, "signing failed");
  return out;
}

} // namespace troupe
