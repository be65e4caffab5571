#include "bench/figure.hpp"

#include "messages/json.hpp"

#include <algorithm>
#include <iostream>
#include <string_view>

namespace troupe::bench {

namespace {

json line(const std::string& name, const std::string& unit, const std::vector<double>& values) {
  return {{"figure", name},
          {"value", median(values)},
          {"unit", unit},
          {"runs", values.size()},
          {"min", *std::min_element(values.begin(), values.end())},
          {"max", *std::max_element(values.begin(), values.end())}};
}

} // namespace

double median(std::vector<double> values) {
  auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

bool figure_choice::has(std::string_view figure) const {
  auto all = true;
  for (auto i = size_t{0}; i + 1 < words_.size(); ++i)
    if (words_[i] == "--only") {
      if (words_[i + 1] == figure)
        return true;
      all = false;
    }
  return all;
}

void print_figure(const std::string& name, const std::string& unit, std::vector<double> values) {
  if (values.empty())
    return;
  std::cout << line(name, unit, values) << std::endl;
}

void print_figure(const std::string& name, const std::string& unit, std::vector<double> values,
                  peer beside) {
  if (values.empty())
    return;
  auto out = line(name, unit, values);
  auto other = median(beside.values);
  out["peer"] = {{"name", beside.name}, {"value", other}};
  out["ratio"] = median(values) / other;
  std::cout << out << std::endl;
}

bool is_quick(int argc, char** argv) {
  return std::any_of(argv, argv + argc, [](std::string_view a) { return a == "--quick"; });
}

} // namespace troupe::bench
