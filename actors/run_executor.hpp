#pragma once

#include "messages/run.hpp"

#include <caf/error.hpp>

#include <optional>
#include <vector>

namespace troupe {

/// What has happened since the last look, in order of time within each list.
struct run_news {
  std::vector<stage_report> stages;
  std::vector<run_report> finished;
  std::optional<caf::error> check; ///< Answer to `check`; a default error = the driver is fit.
};

/// Executes runs somewhere else (threads; in tests nowhere) and never blocks its caller.
///
/// Threads: called by one actor.
class run_executor {
public:
  virtual ~run_executor() = default;

  /// Queues runs. Each one ends in exactly one report.
  virtual void start(std::vector<run_order> orders) = 0;

  /// Ends runs; those that wait are not begun. They are reported with `why`:
  /// `reason::canceled` or `reason::worker_shutdown`.
  virtual void stop(const std::vector<run_key>& runs, reason why) = 0;

  /// Ends all runs that were not begun; as `stop`.
  virtual void stop_waiting(reason why) = 0;

  /// Asks the driver whether it can work now.
  virtual void check() = 0;

  /// Lets the driver remove what dead runs left.
  virtual void sweep(std::vector<run_key> alive) = 0;

  /// Returns the news and forgets them.
  virtual run_news take() = 0;
};

} // namespace troupe
