#pragma once

#include "nodes/cluster/refusal.hpp"

#include <chrono>
#include <mutex>
#include <string>

namespace troupe {

/// Counts refusals, and logs the first of each kind at once and then one line
/// per ten seconds and kind that tells how many there were: a stranger must not
/// be able to fill the log. Threads: any.
class refusal_log {
public:
  explicit refusal_log(transport_counters& counters) : counters_{counters} {}

  /// `detail` says more than the reason itself; may be empty.
  void note(refusal why, const std::string& address, const std::string& name,
            const std::string& detail);

private:
  struct quiet_line {
    std::chrono::steady_clock::time_point next{};
    uint64_t unsaid = 0;
  };

  transport_counters& counters_;
  std::mutex mutex_;
  std::array<quiet_line, refusal_count> lines_{};
};

} // namespace troupe
