#include "bridges/http/sha256.hpp"

#include <openssl/evp.h>

#include <array>

namespace troupe {

std::string sha256_text(std::string_view bytes) {
  auto hash = std::array<unsigned char, 32>{};
  auto out = std::string{};
  // Fails only without memory; then nothing is equal to the empty text.
  if (EVP_Digest(bytes.data(), bytes.size(), hash.data(), nullptr, EVP_sha256(), nullptr) != 1)
    return out;
  for (auto byte : hash) {
    out += "0123456789abcdef"[byte >> 4];
    out += "0123456789abcdef"[byte & 0xF];
  }
  return out;
}

} // namespace troupe
