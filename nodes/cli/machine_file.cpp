#include "nodes/cli/machine_file.hpp"

#include <fstream>
#include <iostream>
#include <iterator>

namespace troupe::cli {

namespace {

/// A million machines with a status each.
constexpr auto machine_limits = json_limits{8, 20'000'000};

} // namespace

caf::expected<json> read_machine_list(const std::string& path) {
  auto is_named = !path.empty() && path != "-";
  auto file = std::ifstream{};
  if (is_named)
    file.open(path);
  if (is_named && !file)
    return fault_at(ec::invalid_argument, path, "cannot be read");
  auto place = is_named ? path : std::string{"standard input"};
  auto& in = is_named ? static_cast<std::istream&>(file) : std::cin;
  auto text = std::string{std::istreambuf_iterator<char>{in}, {}};
  auto list = parse_json_text(text, machine_limits);
  if (!list)
    return fault_at(ec::invalid_argument, std::move(place), one_line(list.error()));
  if (!list->is_array())
    return fault_at(ec::invalid_argument, std::move(place), "is not a list of machines");
  return list;
}

} // namespace troupe::cli
