#pragma once

#include <caf/timestamp.hpp>

#include <string>

namespace troupe {

/// Appends "2018-11-08T08:47:50.939514": UTC without saying so, always six digits.
/// Source: spec/machines.md 2.1 (`datetime.utcnow().isoformat()`).
void append_naive(std::string& to, caf::timestamp t);

/// Returns the same as text; the epoch itself (never set) is "".
std::string to_naive(caf::timestamp t);

} // namespace troupe
