#pragma once

#include <cstddef>
#include <string>

namespace troupe::bench {

/// Gives the journal in a data folder a sign of each of so many machines, and again, until there
/// are `signs`; returns when a tracker has them, too. Throws.
void fill_journal(const std::string& data, size_t machines, size_t signs);

/// Gives a tracker in a data folder so many machines with `runs` finished runs each, without a
/// journal: nobody needs it to answer questions. Throws.
void fill_tracker(const std::string& data, size_t machines, size_t runs);

/// Returns the id of the n-th machine.
std::string bench_machine(size_t n);

} // namespace troupe::bench
