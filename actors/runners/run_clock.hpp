#pragma once

#include "messages/run.hpp"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <stop_token>

namespace troupe {

/// How long a run may still go on: until it is stopped or its deadline is over.
///
/// Threads: any.
class run_clock {
public:
  using clock = std::chrono::steady_clock;

  run_clock(const run_order& order, std::stop_token stop)
    : stop_{std::move(stop)}, end_{
                                order.deadline.count() > 0
                                  ? clock::now()
                                      + std::chrono::duration_cast<clock::duration>(order.deadline)
                                  : clock::time_point::max()} {}

  /// Returns why the run must end now; `reason::none` = it need not.
  reason over() const {
    if (stop_.stop_requested())
      return reason::canceled;
    return clock::now() >= end_ ? reason::task_timeout : reason::none;
  }

  /// Sleeps; returns early, with the reason, when the run must end.
  reason sleep(std::chrono::milliseconds time) const {
    if (time.count() <= 0)
      return over();
    auto mutex = std::mutex{};
    auto stopped = std::condition_variable_any{};
    auto guard = std::unique_lock{mutex};
    stopped.wait_until(guard, stop_, std::min(end_, clock::now() + time), [] { return false; });
    return over();
  }

  clock::time_point end() const {
    return end_;
  }

private:
  std::stop_token stop_;
  clock::time_point end_;
};

} // namespace troupe
