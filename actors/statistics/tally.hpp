#pragma once

#include "actors/statistics/duration_sketch.hpp"
#include "messages/reason.hpp"

#include <array>

namespace troupe {

/// Counters and durations of one group. Every member only depends on the events,
/// in their order.
struct tally {
  uint64_t distributed = 0;
  uint64_t started = 0;
  uint64_t processed = 0;
  uint64_t failed = 0;
  uint64_t retried = 0;
  uint64_t dead = 0;
  uint64_t canceled = 0;
  uint64_t running = 0; ///< Targets now.
  uint64_t waiting = 0; ///< Targets now.
  std::array<uint64_t, enum_names<verdict>.size()> results{};
  std::array<uint64_t, enum_names<reason>.size() + 1> reasons{}; ///< Last: those of a newer node.
  duration_sketch spend;
  duration_sketch wait;
  caf::timestamp last_seen{};
  uint64_t last_sequence = 0;

  /// Adds what another group counted.
  void merge(const tally& other);

  /// Returns the one encoding of this state.
  std::string bytes() const;
  /// Reads `bytes`. Errors: `ec::corrupt`.
  static caf::expected<tally> load(std::string_view bytes);

  work_report report() const;
};

} // namespace troupe
