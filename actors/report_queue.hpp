#pragma once

#include "messages/run.hpp"

#include <deque>
#include <optional>
#include <string>
#include <vector>

namespace troupe {

/// Results that the ledger has not taken yet, oldest first. One message of them
/// is out at a time; what is refused for good does not hold up the rest.
class report_queue {
public:
  void push(run_report report);

  /// Returns what the next message holds, empty while one is out or nothing waits.
  std::vector<run_report> next();

  /// The message was taken: forgets its reports and returns their runs, in its order.
  std::vector<run_key> taken();

  /// The message failed, but the same one may succeed later.
  void failed();

  /// The message will never be taken. Its reports are tried one by one, then without
  /// their stages, then dropped: returns the run of a dropped one.
  std::optional<run_key> refused(const std::string& why);

  bool empty() const {
    return queue_.empty();
  }
  size_t size() const {
    return queue_.size();
  }

private:
  std::deque<run_report> queue_;
  size_t out_ = 0;   ///< Reports of the message that is out.
  size_t alone_ = 0; ///< So many of the oldest go one by one.
};

} // namespace troupe
