#include "bridges/http/base64url.hpp"

#include <array>
#include <cstdint>

namespace troupe {

namespace {

constexpr std::string_view alphabet =
  "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

constexpr auto values = [] {
  auto table = std::array<int8_t, 256>{};
  table.fill(-1);
  for (auto i = size_t{0}; i < alphabet.size(); ++i)
    table[static_cast<unsigned char>(alphabet[i])] = static_cast<int8_t>(i);
  return table;
}();

} // namespace

std::string to_base64url(std::string_view bytes) {
  auto out = std::string{};
  out.reserve((bytes.size() * 4 + 2) / 3);
  auto bits = uint32_t{0};
  auto count = 0;
  for (auto c : bytes) {
    bits = bits << 8 | static_cast<unsigned char>(c);
    for (count += 8; count >= 6; count -= 6)
      out.push_back(alphabet[bits >> (count - 6) & 63]);
  }
  if (count > 0)
    out.push_back(alphabet[bits << (6 - count) & 63]);
  return out;
}

std::optional<std::string> from_base64url(std::string_view text) {
  if (text.size() % 4 == 1)
    return std::nullopt;
  auto out = std::string{};
  out.reserve(text.size() * 3 / 4);
  auto bits = uint32_t{0};
  auto count = 0;
  for (auto c : text) {
    auto value = values[static_cast<unsigned char>(c)];
    if (value < 0)
      return std::nullopt;
    bits = bits << 6 | static_cast<uint32_t>(value);
    count += 6;
    if (count >= 8) {
      count -= 8;
      out.push_back(static_cast<char>(bits >> count & 255));
    }
  }
  if ((bits & ((1u << count) - 1)) != 0)
    return std::nullopt;
  return out;
}

} // namespace troupe
