#include "actors/runners/catalog/catalog.hpp"

#include <algorithm>
#include <numeric>
#include <vector>

namespace troupe {

#define TROUPE_RUNNER(name) runner_factory make_##name##_runner;
#include "actors/runners/catalog/catalog.def"
#undef TROUPE_RUNNER

namespace {

/// Returns how many letters have to change. Source: Levenshtein.
size_t distance(std::string_view x, std::string_view y) {
  auto row = std::vector<size_t>(y.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (auto i = size_t{1}; i <= x.size(); ++i) {
    auto diagonal = std::exchange(row[0], i);
    for (auto j = size_t{1}; j <= y.size(); ++j) {
      auto changed = diagonal + (x[i - 1] == y[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, changed});
    }
  }
  return row.back();
}

} // namespace

std::span<const runner_entry> runner_catalog() {
#define TROUPE_RUNNER(name) {#name, make_##name##_runner},
  static constexpr runner_entry entries[] = {
#include "actors/runners/catalog/catalog.def"
  };
#undef TROUPE_RUNNER
  return entries;
}

caf::expected<runner_driver_ptr> make_runner(std::string_view type, section& options,
                                             const driver_context& context) {
  auto all = runner_catalog();
  for (const auto& [name, make] : all)
    if (name == type)
      return make(options, context);
  auto nearest = std::min_element(all.begin(), all.end(), [type](const auto& x, const auto& y) {
    return distance(x.type, type) < distance(y.type, type);
  });
  return fault_at(ec::unsupported, "driver",
                  "no runner type \"" + std::string{type} + "\"; did you mean \""
                    + std::string{nearest->type} + "\"?");
}

} // namespace troupe
