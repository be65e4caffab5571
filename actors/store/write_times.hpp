#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>

namespace troupe {

/// How long writes took, since the database was opened.
///
/// Threads: any; counts of one look may differ by what ends meanwhile.
class write_times {
public:
  /// Upper limits in seconds: from a log that is in memory to a disk that is in trouble.
  static constexpr auto limits =
    std::array{0.0001, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1.0, 5.0};

  struct summary {
    std::array<uint64_t, limits.size()> at_most{}; ///< Cumulative.
    uint64_t count = 0;
    double sum_s = 0;
  };

  void add(std::chrono::nanoseconds took) {
    auto seconds = std::chrono::duration<double>(took).count();
    auto place = size_t{0};
    while (place < limits.size() && seconds > limits[place])
      ++place;
    counts_[place].fetch_add(1, std::memory_order_relaxed);
    nanoseconds_.fetch_add(static_cast<uint64_t>(took.count()), std::memory_order_relaxed);
  }

  summary look() const {
    auto out = summary{};
    for (auto i = size_t{0}; i < counts_.size(); ++i) {
      out.count += counts_[i].load(std::memory_order_relaxed);
      if (i < limits.size())
        out.at_most[i] = out.count;
    }
    out.sum_s = static_cast<double>(nanoseconds_.load(std::memory_order_relaxed)) / 1e9;
    return out;
  }

private:
  std::array<std::atomic<uint64_t>, limits.size() + 1> counts_{}; ///< Each alone; the last: longer.
  std::atomic<uint64_t> nanoseconds_ = 0;
};

} // namespace troupe
