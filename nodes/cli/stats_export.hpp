#pragma once

#include "messages/error.hpp"
#include "messages/statistics.hpp"

#include <functional>
#include <string>
#include <vector>

namespace troupe::cli {

/// Answers the next objects, none when there are no more.
using next_objects = std::function<caf::expected<std::vector<object_progress>>()>;

/// Writes statistics as an SQLite database: whole or not at all, what was at `path`
/// is replaced then. Tables and columns: docs/statistics.md.
/// Errors: `ec::invalid_argument` (the path), those of `objects`.
caf::error export_statistics(const std::string& path, const statistics_report& what,
                             const next_objects& objects);

} // namespace troupe::cli
