#pragma once

#include "messages/error.hpp"
#include "messages/statistics.hpp"

#include <caf/timestamp.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace troupe {

/// Counts durations in buckets whose width grows with the value, so that every
/// quantile is within 1/128 of the exact one (docs/adr/0012). Whole numbers only:
/// the same durations give the same bytes, in any order and on any machine.
///
/// Microseconds; what is longer than 2^48 (8.9 years) counts as that.
class duration_sketch {
public:
  static constexpr auto longest = (uint64_t{1} << 48) - 1;

  /// Adds a duration; a negative one (clocks differ) counts as 0.
  void add(caf::timespan x);

  /// Adds what another one counted; the result is as if it had counted both.
  void merge(const duration_sketch& other);

  uint64_t count() const {
    return count_;
  }
  uint64_t sum() const {
    return sum_;
  }

  /// Returns the value below or at which the share `q` (0..1) of all durations
  /// lies; 0 if there are none.
  uint64_t quantile(double q) const;

  /// Returns how many durations were at most `x`; those in the bucket of `x` count.
  uint64_t at_most(uint64_t x) const;

  duration_summary summary() const;

  /// Returns the one encoding of this state; empty for no durations.
  std::string bytes() const;

  /// Reads `bytes`. Errors: `ec::corrupt` (also if it is not the one encoding).
  static caf::expected<duration_sketch> load(std::string_view bytes);

  bool operator==(const duration_sketch&) const = default;

private:
  struct bucket {
    uint16_t index = 0;
    uint64_t count = 0;
    bool operator==(const bucket&) const = default;
  };

  std::vector<bucket> buckets_; ///< Only those that have a count, by index.
  uint64_t count_ = 0;
  uint64_t sum_ = 0;
  uint64_t min_ = 0;
  uint64_t max_ = 0;
};

} // namespace troupe
