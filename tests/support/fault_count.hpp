#pragma once

#include <cstdlib>

namespace troupe::tests {

/// Returns how many faults a test injects: a few in each run, all with `tests/run --long`.
inline unsigned fault_count(unsigned few, unsigned all) {
  return std::getenv("TROUPE_LONG") != nullptr ? all : few;
}

} // namespace troupe::tests
