#include "actors/runners/catalog/catalog.hpp"

#include "config/units.hpp"

#include <algorithm>

namespace troupe {

#define TROUPE_RUNNER(name) runner_factory make_##name##_runner;
#include "actors/runners/catalog/catalog.def"
#undef TROUPE_RUNNER

namespace {

constexpr auto longest_type = size_t{64};

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
  auto unknown = "no runner type \"" + std::string{type.substr(0, longest_type)} + '"';
  if (type.size() > longest_type)
    return fault_at(ec::unsupported, "driver", std::move(unknown));
  auto nearest = std::min_element(all.begin(), all.end(), [type](const auto& x, const auto& y) {
    return edit_distance(x.type, type) < edit_distance(y.type, type);
  });
  return fault_at(ec::unsupported, "driver",
                  unknown + "; did you mean \"" + std::string{nearest->type} + "\"?");
}

} // namespace troupe
