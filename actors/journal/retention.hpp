#pragma once

#include "actors/journal/journal_backend.hpp"

#include <string>
#include <vector>

namespace troupe {

struct journal_options;

/// Returns the sequence below which no registered cursor needs an event.
uint64_t lowest_needed(const journal_backend& backend,
                       const std::map<std::string, uint64_t>& cursors);

/// Forgets events and ids that are past their age or beyond the size, but
/// nothing that a cursor still needs, and nothing while no cursor is registered.
/// Returns the consumers to evict before the next time: they hold back too much.
std::vector<cursor> retain(journal_backend& backend, const std::map<std::string, uint64_t>& cursors,
                           const journal_options& options, caf::timestamp now);

} // namespace troupe
