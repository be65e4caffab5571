#pragma once

#include <caf/timestamp.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace troupe {

/// Returns the wall-clock time now.
caf::timestamp now();

/// Returns "2026-11-21T05:03:00.123Z"; the epoch itself (never set) is "".
std::string to_iso8601(caf::timestamp t);

/// Reads what `to_iso8601` writes, with 0..9 fraction digits and "Z" or "+hh:mm". Source: RFC 3339.
std::optional<caf::timestamp> parse_iso8601(std::string_view text);

/// Returns a duration for people: "1.5s", "2m 5s", "3h 10m".
std::string to_short_text(caf::timespan t);

} // namespace troupe
