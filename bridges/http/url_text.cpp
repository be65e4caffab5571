#include "bridges/http/url_text.hpp"

#include <algorithm>
#include <cstdint>

namespace troupe {

namespace {

int digit_of(char c) {
  if (c >= '0' && c <= '9')
    return c - '0';
  if (c >= 'a' && c <= 'f')
    return c - 'a' + 10;
  if (c >= 'A' && c <= 'F')
    return c - 'A' + 10;
  return -1;
}

bool is_control(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
}

std::optional<std::string> decode(std::string_view raw, bool plus_is_space) {
  auto out = std::string{};
  out.reserve(raw.size());
  auto plain = true;
  for (auto i = size_t{0}; i < raw.size(); ++i) {
    auto c = raw[i];
    if (c == '%') {
      auto high = i + 2 < raw.size() ? digit_of(raw[i + 1]) : -1;
      auto low = i + 2 < raw.size() ? digit_of(raw[i + 2]) : -1;
      if (high < 0 || low < 0)
        return std::nullopt;
      c = static_cast<char>(high * 16 + low);
      i += 2;
    } else if (c == '+' && plus_is_space) {
      c = ' ';
    }
    if (is_control(c))
      return std::nullopt;
    plain = plain && static_cast<unsigned char>(c) < 0x80;
    out.push_back(c);
  }
  if (!plain && !is_utf8(out))
    return std::nullopt;
  return out;
}

bool escapes_separator(std::string_view raw) {
  for (auto i = raw.find('%'); i != raw.npos; i = raw.find('%', i + 1)) {
    auto code = raw.substr(i + 1, 2);
    if (code == "2f" || code == "2F" || code == "5c" || code == "5C")
      return true;
  }
  return false;
}

bool has_dot_segment(std::string_view path) {
  while (!path.empty()) {
    auto end = std::min(path.find('/'), path.size());
    auto segment = path.substr(0, end);
    if (segment == "." || segment == "..")
      return true;
    path.remove_prefix(std::min(end + 1, path.size()));
  }
  return false;
}

} // namespace

bool is_utf8(std::string_view text) {
  for (auto i = size_t{0}; i < text.size();) {
    auto lead = static_cast<uint8_t>(text[i]);
    auto length = lead < 0x80         ? 1u
                  : (lead >> 5) == 6  ? 2u
                  : (lead >> 4) == 14 ? 3u
                  : (lead >> 3) == 30 ? 4u
                                      : 0u;
    if (length == 0 || i + length > text.size())
      return false;
    auto point = length == 1 ? uint32_t{lead} : uint32_t{lead} & (0x7Fu >> length);
    for (auto k = 1u; k < length; ++k) {
      auto next = static_cast<uint8_t>(text[i + k]);
      if ((next >> 6) != 2)
        return false;
      point = point << 6 | (next & 0x3F);
    }
    static constexpr uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    if (point < least[length] || point > 0x10FFFF || (point >= 0xD800 && point <= 0xDFFF))
      return false;
    i += length;
  }
  return true;
}

std::optional<std::string> decode_path(std::string_view raw) {
  if (escapes_separator(raw) || raw.find('\\') != raw.npos)
    return std::nullopt;
  auto path = decode(raw, false);
  if (path && has_dot_segment(*path))
    return std::nullopt;
  return path;
}

std::optional<std::multimap<std::string, std::string>> decode_query(std::string_view raw) {
  auto out = std::multimap<std::string, std::string>{};
  while (!raw.empty()) {
    auto end = std::min(raw.find('&'), raw.size());
    auto pair = raw.substr(0, end);
    raw.remove_prefix(std::min(end + 1, raw.size()));
    if (pair.empty())
      continue;
    auto equals = std::min(pair.find('='), pair.size());
    auto key = decode(pair.substr(0, equals), true);
    auto value = decode(pair.substr(std::min(equals + 1, pair.size())), true);
    if (!key || !value)
      return std::nullopt;
    out.emplace(std::move(*key), std::move(*value));
  }
  return out;
}

} // namespace troupe
