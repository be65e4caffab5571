#pragma once

#include "actors/runners/runner_driver.hpp"

#include <span>
#include <string>
#include <string_view>

namespace troupe {

/// One runner type.
struct runner_entry {
  std::string_view type;
  runner_factory* make;
};

/// Returns all runner types, in the order of `catalog.def`.
std::span<const runner_entry> runner_catalog();

/// Makes the driver of a type from its section of the configuration.
/// Errors: `ec::unsupported` (names the nearest type), `ec::invalid_config`.
caf::expected<runner_driver_ptr> make_runner(std::string_view type, section& options,
                                             const driver_context& context);

} // namespace troupe
