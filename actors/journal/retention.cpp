#include "actors/journal/retention.hpp"

#include "actors/journal/journal.hpp"
#include "config/log.hpp"

#include <algorithm>

namespace troupe {

namespace {

/// Returns the first sequence in [head.first, head.next) for which `keep` holds;
/// it must hold for all later ones, too.
template <class Keep>
uint64_t first_that(journal_head head, Keep keep) {
  auto low = head.first;
  auto high = head.next;
  while (low < high) {
    auto middle = low + (high - low) / 2;
    if (keep(middle))
      high = middle;
    else
      low = middle + 1;
  }
  return low;
}

} // namespace

uint64_t lowest_needed(const journal_backend& backend,
                       const std::map<std::string, uint64_t>& cursors) {
  auto lowest = backend.head().next;
  for (const auto& [_, sequence] : cursors)
    if (sequence != evicted_cursor)
      lowest = std::min(lowest, sequence + 1);
  return lowest;
}

namespace {

std::vector<cursor> laggards(const journal_backend& backend,
                             const std::map<std::string, uint64_t>& cursors,
                             const journal_options& options, uint64_t wanted) {
  auto out = std::vector<cursor>{};
  for (const auto& [name, sequence] : cursors) {
    if (sequence == evicted_cursor || sequence + 1 >= wanted)
      continue;
    auto too_far = !backend.accepting() || backend.bytes_from(sequence + 1) > options.consumer_lag;
    if (too_far && !options.critical.contains(name))
      out.push_back({name, sequence});
  }
  return out;
}

} // namespace

std::vector<cursor> retain(journal_backend& backend, const std::map<std::string, uint64_t>& cursors,
                           const journal_options& options, caf::timestamp now) {
  auto head = backend.head();
  auto& limits = options.limits;
  backend.forget_ids(head.next_ordinal - std::min(head.next_ordinal, limits.ids_kept),
                     now - limits.id_window);
  if (cursors.empty() || head.first == head.next)
    return {};
  auto young = first_that(head, [&](uint64_t sequence) {
    auto x = backend.read({sequence, 1, 1, caf::timespan{0}});
    // What cannot be read is not judged by its age.
    return !x || x->events.empty() || x->events.front().arrived > now - options.keep_for;
  });
  auto small = first_that(
    head, [&](uint64_t sequence) { return backend.bytes_from(sequence) <= options.keep_bytes; });
  auto wanted = std::max(young, small);
  auto below = std::min(wanted, lowest_needed(backend, cursors));
  if (below < wanted)
    log(log_level::warning, "journal", "a consumer holds back retention",
        {{"wanted", wanted}, {"kept_from", below}});
  if (below > head.first)
    if (auto why = backend.trim(below))
      log(log_level::warning, "journal", "retention failed", {{"error", one_line(why)}});
  return laggards(backend, cursors, options, wanted);
}

} // namespace troupe
