#include "bridges/http/routes/router.hpp"

#include <charconv>

namespace troupe {

namespace {

const query_parameter* find_parameter(const route& row, std::string_view name) {
  for (const auto& known : row.query)
    if (known.name == name
        || (known.name.ends_with(".*") && name.size() >= known.name.size()
            && name.starts_with(known.name.substr(0, known.name.size() - 1))))
      return &known;
  return nullptr;
}

std::string check_value(const query_parameter& must, const std::string& value) {
  switch (must.type) {
    case parameter_type::text:
      return obeys("line", value) && value.size() <= 1024 ? "" : "must be one short line";
    case parameter_type::flag:
      return detail::in_choice("1|0|true|false", value) ? "" : "must be true or false";
    case parameter_type::word:
      return detail::in_choice(must.one_of, value) ? "" : "must be one of " + must.one_of;
    case parameter_type::whole: break;
  }
  auto number = int64_t{0};
  auto [end, err] = std::from_chars(value.data(), value.data() + value.size(), number);
  if (err != std::errc{} || end != value.data() + value.size())
    return "must be a whole number";
  if (number < must.min || number > must.max)
    return "must be between " + std::to_string(must.min) + " and " + std::to_string(must.max);
  return {};
}

} // namespace

std::vector<json_fault> check_query(const route& row, const http_request& in) {
  auto faults = std::vector<json_fault>{};
  for (auto i = in.query.begin(); i != in.query.end(); i = in.query.upper_bound(i->first)) {
    const auto& [name, value] = *i;
    auto place = "query." + name;
    auto known = find_parameter(row, name);
    if (!known)
      faults.push_back({place, "is not a parameter of this path"});
    else if (in.query.count(name) > 1)
      faults.push_back({place, "is given more than once"});
    else if (auto text = check_value(*known, value); !text.empty())
      faults.push_back({place, std::move(text)});
  }
  return faults;
}

} // namespace troupe
