#include "messages/text_rule.hpp"

#include <algorithm>

namespace troupe {

namespace {

constexpr bool is_alnum(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/// A first character out of [A-Za-z0-9], then those or `more`.
bool is_name(std::string_view text, std::string_view more, size_t longest) {
  return !text.empty() && text.size() <= longest && is_alnum(text[0])
         && std::all_of(text.begin(), text.end(), [more](char c) {
              return is_alnum(c) || more.find(c) != std::string_view::npos;
            });
}

bool is_line(std::string_view text) {
  return std::none_of(text.begin(), text.end(),
                      [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
}

bool is_variable(std::string_view text) {
  if (text.empty() || (text[0] >= '0' && text[0] <= '9'))
    return false;
  return std::all_of(text.begin(), text.end(), [](char c) { return is_alnum(c) || c == '_'; });
}

bool is_relative_path(std::string_view text) {
  if (text.empty() || text[0] == '/' || !is_line(text))
    return false;
  while (true) {
    auto slash = text.find('/');
    auto part = text.substr(0, slash);
    if (part.empty() || part == "." || part == "..")
      return false;
    if (slash == std::string_view::npos)
      return true;
    text.remove_prefix(slash + 1);
  }
}

} // namespace

bool obeys(std::string_view rule, std::string_view text) {
  if (rule.empty())
    return true;
  if (rule == "name")
    return is_name(text, "+._:~-", 128);
  if (rule == "word")
    return is_name(text, "._-", 128);
  if (rule == "git_ref")
    return is_name(text, "._/-", 256) && text.find("..") == std::string_view::npos;
  if (rule == "variable")
    return is_variable(text);
  if (rule == "line")
    return is_line(text);
  if (rule == "path")
    return is_relative_path(text);
  return false;
}

} // namespace troupe
