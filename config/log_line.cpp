#include "config/log_line.hpp"

#include "config/printable.hpp"
#include "messages/time.hpp"

#include <algorithm>

namespace troupe {

namespace {

constexpr auto longest_value = size_t{4096};

std::string_view word_of(log_level level) {
  switch (level) {
    case log_level::debug: return "debug";
    case log_level::info: return "info";
    case log_level::warning: return "warning";
    case log_level::error: return "error";
  }
  return "error";
}

bool needs_quotes(std::string_view text) {
  return text.empty() || std::any_of(text.begin(), text.end(), [](char c) {
           return c == ' ' || c == '"' || c == '=' || c == '\\';
         });
}

/// Doubles backslashes, so that those of escapes can be told from those of the text.
std::string with_double_backslashes(std::string_view text) {
  auto out = std::string{};
  for (auto c : text)
    out.append(c == '\\' ? 2 : 1, c);
  return out;
}

/// Appends ` key=value`, safe to read back and to show.
void append(std::string& out, std::string_view key, std::string_view value,
            const log_context& context) {
  // Masked before it is cut, so that no half of a secret is left.
  auto clean = without_userinfo(masked(value, context.secrets));
  auto text = printable(with_double_backslashes(std::string_view{clean}.substr(0, longest_value)));
  if (clean.size() > longest_value)
    text += " [" + std::to_string(clean.size() - longest_value) + " more bytes]";
  out += ' ';
  out += key;
  out += '=';
  if (!needs_quotes(text)) {
    out += text;
    return;
  }
  out += '"';
  for (auto c : text) {
    if (c == '"')
      out += '\\';
    out += c;
  }
  out += '"';
}

} // namespace

std::string masked(std::string_view text, const std::vector<std::string>& secrets) {
  auto out = std::string{text};
  for (const auto& secret : secrets)
    for (auto at = out.find(secret); at != std::string::npos; at = out.find(secret, at)) {
      out.replace(at, secret.size(), "[masked]");
      at += 8;
    }
  return out;
}

std::string log_line(caf::timestamp at, log_level level, const log_context& context,
                     std::string_view actor, std::string_view message,
                     std::initializer_list<log_field> fields) {
  auto out = std::string{};
  out.reserve(160);
  out += "ts=" + to_iso8601(at) + " level=";
  out += word_of(level);
  if (!context.node.empty())
    append(out, "node", context.node, context);
  append(out, "actor", actor, context);
  append(out, "msg", message, context);
  for (const auto& f : fields)
    append(out, f.key, f.value, context);
  return out;
}

} // namespace troupe
