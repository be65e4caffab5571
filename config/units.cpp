#include "config/units.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <vector>

namespace troupe {

namespace {

struct unit {
  std::string_view name;
  uint64_t factor;
};

constexpr auto durations =
  std::array<unit, 5>{{{"d", 86'400'000}, {"h", 3'600'000}, {"m", 60'000}, {"s", 1000}, {"ms", 1}}};
constexpr auto sizes = std::array<unit, 5>{{{"TiB", uint64_t{1} << 40},
                                            {"GiB", uint64_t{1} << 30},
                                            {"MiB", uint64_t{1} << 20},
                                            {"KiB", uint64_t{1} << 10},
                                            {"B", 1}}};

template <size_t N>
std::optional<uint64_t> parse(std::string_view text, const std::array<unit, N>& units,
                              uint64_t largest) {
  auto count = uint64_t{0};
  auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (fault != std::errc{})
    return std::nullopt;
  auto name = text.substr(static_cast<size_t>(end - text.data()));
  for (const auto& u : units)
    if (u.name == name && count <= largest / u.factor)
      return count * u.factor;
  return std::nullopt;
}

template <size_t N>
std::string shortest(uint64_t x, const std::array<unit, N>& units, std::string_view zero) {
  if (x == 0)
    return std::string{zero};
  for (const auto& u : units)
    if (x % u.factor == 0)
      return std::to_string(x / u.factor) + std::string{u.name};
  return {};
}

} // namespace

std::optional<std::chrono::milliseconds> parse_duration(std::string_view text) {
  constexpr auto century = uint64_t{36'525} * 86'400'000;
  auto x = parse(text, durations, century);
  if (!x)
    return std::nullopt;
  return std::chrono::milliseconds{static_cast<int64_t>(*x)};
}

std::optional<uint64_t> parse_size(std::string_view text) {
  return parse(text, sizes, uint64_t{INT64_MAX});
}

std::string duration_text(std::chrono::milliseconds x) {
  return shortest(static_cast<uint64_t>(std::max<int64_t>(x.count(), 0)), durations, "0s");
}

std::string size_text(uint64_t x) {
  return shortest(x, sizes, "0B");
}

size_t edit_distance(std::string_view a, std::string_view b) {
  auto before = std::vector<size_t>(b.size() + 1);
  auto last = before;
  auto row = before;
  for (auto j = size_t{0}; j <= b.size(); ++j)
    last[j] = j;
  for (auto i = size_t{1}; i <= a.size(); ++i) {
    row[0] = i;
    for (auto j = size_t{1}; j <= b.size(); ++j) {
      auto replaced = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, replaced});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        row[j] = std::min(row[j], before[j - 2] + 1);
    }
    std::swap(before, last);
    std::swap(last, row);
  }
  return last[b.size()];
}

} // namespace troupe
