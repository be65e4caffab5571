#pragma once

#include <chrono>
#include <cstdint>
#include <unordered_map>

namespace troupe {

/// Token buckets by key: `rate` a second each, with a burst of one second's
/// worth. Holds a bounded number of keys; one that was quiet long enough to be
/// full again is forgotten first. Source: spec/reliability_security.md S22.
///
/// Threads: one.
class token_buckets {
public:
  using clock = std::chrono::steady_clock;

  explicit token_buckets(double rate, size_t max_keys = 16'384)
    : rate_{rate}, max_keys_{max_keys} {}

  /// Takes one token; returns the seconds until there is one if there is none, else 0.
  int take(uint64_t key, clock::time_point now);

  /// True if `take` would give one.
  bool has(uint64_t key, clock::time_point now) const;

private:
  struct bucket {
    double tokens;
    clock::time_point at;
  };

  double burst() const {
    return rate_ < 1 ? 1 : rate_;
  }
  double filled(const bucket& x, clock::time_point now) const;

  double rate_;
  size_t max_keys_;
  std::unordered_map<uint64_t, bucket> buckets_;
};

} // namespace troupe
