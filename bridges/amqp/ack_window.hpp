#pragma once

#include <chrono>
#include <cstdint>
#include <set>
#include <vector>

namespace troupe {

/// One acknowledgement for the broker.
struct ack {
  uint64_t tag = 0;
  bool multiple = false; ///< All up to the tag.

  auto operator<=>(const ack&) const = default;
};

/// Which deliveries of one channel are settled, and what to tell the broker of it: the
/// contiguous prefix at once; what lies beyond a gap alone, if the gap stays.
///
/// Threads: one.
class ack_window {
public:
  using clock = std::chrono::steady_clock;

  /// A delivery has come; tags of a channel count from 1.
  void delivered(uint64_t tag) {
    last_ = tag;
  }
  /// It is settled; a tag that never came or is settled already is ignored.
  void settle(uint64_t tag, clock::time_point now);

  /// Returns what to acknowledge now, and forgets it.
  std::vector<ack> take(clock::time_point now);

  /// Deliveries that are not settled.
  uint64_t open() const {
    return last_ - up_to_ - beyond_.size();
  }
  /// Settled ones that the broker has not been told of.
  bool pending() const {
    return !fresh_.empty() || told_ != up_to_;
  }

private:
  uint64_t last_ = 0;
  uint64_t up_to_ = 0;            ///< All up to here are settled.
  uint64_t told_ = 0;             ///< All up to here are acknowledged.
  uint64_t last_untold_ = 0;      ///< Last one up to `up_to_` that was not told alone.
  std::set<uint64_t> beyond_;     ///< Settled above a gap.
  std::set<uint64_t> fresh_;      ///< Of them: not acknowledged.
  clock::time_point gap_since_{}; ///< When the oldest of `fresh_` came.
};

} // namespace troupe
