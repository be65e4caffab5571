#pragma once

#include <prometheus/metric_family.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

namespace troupe {

/// Counts answered requests by route, method and status, and how long they took.
/// A route is a row of the table, so the labels are bounded; what matched none is
/// the route "none".
///
/// Threads: any.
class request_metrics {
public:
  void count(std::string_view route, std::string_view method, int status,
             std::chrono::nanoseconds took);

  /// Adds `http_requests_total` and `http_request_duration_seconds`.
  void collect(std::vector<prometheus::MetricFamily>& to) const;

private:
  static constexpr auto steps =
    std::array{0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0};

  struct durations {
    std::array<uint64_t, steps.size() + 1> counts{}; ///< Last: longer ones.
    double sum = 0;
  };

  mutable std::mutex mutex_;
  std::map<std::tuple<std::string, std::string, int>, uint64_t> requests_;
  std::map<std::string, durations, std::less<>> durations_;
};

} // namespace troupe
