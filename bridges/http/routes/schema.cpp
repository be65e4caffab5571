#include "bridges/http/routes/schema.hpp"

namespace troupe {

namespace {

/// The rules of `obeys` as ECMA 262 patterns, for those who read the schema.
std::string_view pattern_of(std::string_view rule_name) {
  if (rule_name == "name")
    return "^[A-Za-z0-9][A-Za-z0-9+._:~-]{0,127}$";
  if (rule_name == "word")
    return "^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$";
  if (rule_name == "git_ref")
    return "^[A-Za-z0-9][A-Za-z0-9._/-]*$";
  if (rule_name == "variable")
    return "^[A-Za-z_][A-Za-z0-9_]*$";
  if (rule_name == "line")
    return "^[^\\u0000-\\u001f\\u007f]*$";
  return {};
}

} // namespace

void describe_text_rule(json& schema, const rule& must) {
  // Optional text may also be empty, which stands for absent.
  if (auto pattern = std::string{pattern_of(must.pattern)}; !pattern.empty())
    schema["pattern"] = must.required ? pattern : pattern + "|^$";
  if (*must.one_of) {
    auto words = json::array();
    auto rest = std::string_view{must.one_of};
    while (true) {
      auto bar = rest.find('|');
      words.push_back(rest.substr(0, bar));
      if (bar == std::string_view::npos)
        break;
      rest.remove_prefix(bar + 1);
    }
    schema["enum"] = std::move(words);
  }
  if (must.required)
    schema["minLength"] = 1;
  schema["maxLength"] = must.max_size;
}

} // namespace troupe
