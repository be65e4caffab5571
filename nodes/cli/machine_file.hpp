#pragma once

#include "messages/json.hpp"

#include <string>

namespace troupe::cli {

/// Reads a JSON list of machines from a file; "" and "-" are standard input.
/// Errors: `ec::invalid_argument` with the path (unreadable, no JSON, no list).
caf::expected<json> read_machine_list(const std::string& path);

} // namespace troupe::cli
