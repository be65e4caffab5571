#pragma once

#include "messages/error.hpp"

#include <CLI/App.hpp>

namespace troupe::cli {

/// Returns what is wrong with a call that could not be parsed, as `ec::invalid_argument`: an
/// unknown verb or option by its name, with the nearest one that is known; else CLI11's own words.
caf::error usage_fault(const CLI::App& app, const CLI::ParseError& why);

} // namespace troupe::cli
