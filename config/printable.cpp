#include "config/printable.hpp"

#include <array>
#include <cstdint>
#include <cstdio>

namespace troupe {

namespace {

struct character {
  uint32_t code = 0;
  size_t size = 0; ///< 0 = the first byte begins no valid sequence.
};

/// Decodes the first character of non-empty UTF-8. Source: RFC 3629.
character first_of(std::string_view in) {
  auto byte = [in](size_t i) { return static_cast<uint8_t>(in[i]); };
  auto lead = byte(0);
  if (lead < 0x80)
    return {lead, 1};
  auto size = lead >= 0xF0 ? size_t{4} : lead >= 0xE0 ? size_t{3} : size_t{2};
  if (lead < 0xC2 || lead > 0xF4 || in.size() < size)
    return {};
  auto code = static_cast<uint32_t>(lead & (0x7F >> size));
  for (auto i = size_t{1}; i < size; ++i) {
    if ((byte(i) & 0xC0) != 0x80)
      return {};
    code = (code << 6) | (byte(i) & 0x3F);
  }
  constexpr auto smallest = std::array<uint32_t, 5>{0, 0, 0x80, 0x800, 0x10000};
  if (code < smallest[size] || code > 0x10FFFF || (code >= 0xD800 && code < 0xE000))
    return {};
  return {code, size};
}

bool is_treacherous(uint32_t c) {
  return c < 0x20 || (c >= 0x7F && c < 0xA0) // C0, DEL, C1
         || c == 0x061C || c == 0x200E || c == 0x200F || (c >= 0x2028 && c <= 0x202E)
         || (c >= 0x2066 && c <= 0x2069) || c == 0xFEFF;
}

void append_escaped(std::string& out, uint32_t c) {
  char text[16];
  switch (c) {
    case '\n': out += "\\n"; return;
    case '\r': out += "\\r"; return;
    case '\t': out += "\\t"; return;
    default: break;
  }
  std::snprintf(text, sizeof text, c < 0x80 ? "\\x%02x" : "\\u{%04x}", static_cast<unsigned>(c));
  out += text;
}

} // namespace

std::string printable(std::string_view text, std::string_view keep) {
  auto out = std::string{};
  out.reserve(text.size());
  while (!text.empty()) {
    auto c = first_of(text);
    if (c.size == 0) {
      char raw[8];
      std::snprintf(raw, sizeof raw, "\\x%02x", static_cast<uint8_t>(text[0]));
      out += raw;
      text.remove_prefix(1);
      continue;
    }
    if (is_treacherous(c.code) && keep.find(text[0]) == std::string_view::npos)
      append_escaped(out, c.code);
    else
      out += text.substr(0, c.size);
    text.remove_prefix(c.size);
  }
  return out;
}

std::string without_userinfo(std::string_view text) {
  auto out = std::string{};
  while (true) {
    auto at = text.find("://");
    if (at == std::string_view::npos)
      return out += text;
    out += text.substr(0, at + 3);
    text.remove_prefix(at + 3);
    auto authority = text.substr(0, text.find_first_of("/?# \t\r\n\"'<>"));
    if (auto end = authority.rfind('@'); end != std::string_view::npos) {
      out += "[masked]";
      text.remove_prefix(end);
    }
  }
}

} // namespace troupe
