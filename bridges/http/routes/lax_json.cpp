#include "bridges/http/routes/lax_json.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace troupe {

namespace {

/// Beyond this a double does not know each whole number.
constexpr auto largest_exact = 9007199254740992.0;

std::string_view strip(std::string_view text) {
  constexpr auto blanks = " \t\r\n\f\v";
  auto first = std::min(text.find_first_not_of(blanks), text.size());
  text.remove_prefix(first);
  return text.substr(0, text.find_last_not_of(blanks) + 1);
}

} // namespace

void read_laxly_as_whole(json& x) {
  if (x.is_number_float()) {
    auto value = x.get<double>();
    if (std::trunc(value) == value && std::abs(value) <= largest_exact)
      x = static_cast<int64_t>(value);
    return;
  }
  if (!x.is_string())
    return;
  auto text = strip(x.get_ref<const std::string&>());
  if (auto point = text.find('.'); point != std::string_view::npos && point + 1 < text.size()
                                   && text.find_first_not_of('0', point + 1) == text.npos)
    text = text.substr(0, point);
  if (text.starts_with('+') && !text.starts_with("+-"))
    text.remove_prefix(1);
  auto value = int64_t{0};
  auto [end, err] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (err == std::errc{} && end == text.data() + text.size())
    x = value;
}

void read_laxly_as_flag(json& x) {
  if (x.is_number() && (x == 0 || x == 1)) {
    x = x == 1;
    return;
  }
  if (!x.is_string())
    return;
  auto word = x.get<std::string>();
  for (auto& c : word)
    if (c >= 'A' && c <= 'Z')
      c = static_cast<char>(c + ('a' - 'A'));
  if (detail::in_choice("1|on|t|true|y|yes", word))
    x = true;
  else if (detail::in_choice("0|off|f|false|n|no", word))
    x = false;
}

} // namespace troupe
