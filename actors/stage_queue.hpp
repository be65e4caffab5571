#pragma once

#include "messages/run.hpp"

#include <deque>
#include <vector>

namespace troupe {

/// Progress of runs that was not sent yet, oldest first. It is bounded in number and bytes: what
/// comes when it is full is lost, which the result of the run makes good.
class stage_queue {
public:
  /// Returns false if there is no room.
  bool push(stage_report report);

  /// Takes out what one message holds: at most 1024 reports and 1 MiB, but at least one report.
  std::vector<stage_report> next();

  bool empty() const {
    return queue_.empty();
  }

private:
  std::deque<stage_report> queue_;
  size_t bytes_ = 0;
};

} // namespace troupe
