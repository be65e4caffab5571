#pragma once

#include "tests/support/job_audit.hpp"
#include "tests/support/promises.hpp"

#include <atomic>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace troupe::tests {

/// Submits at most 120 jobs a second to a gateway from three threads, each under
/// its own key until it is promised, whatever becomes of the node meanwhile.
///
/// Threads: any.
class steady_load {
public:
  steady_load(const node_process& to, promises& book);
  ~steady_load();
  steady_load(const steady_load&) = delete;
  steady_load& operator=(const steady_load&) = delete;

  /// Returns when no submission is under way any more.
  void stop();

  /// How many keys were used.
  size_t keys() const {
    return static_cast<size_t>(next_);
  }

  /// What was promised so far: key -> job.
  std::map<std::string, std::string> promised() const;

  /// The job that is submitted under a key.
  static json job_of(const std::string& key);

private:
  void submit(const std::string& key);

  const node_process& to_;
  promises& book_;
  mutable std::mutex mutex_;
  std::map<std::string, std::string> promised_;
  std::atomic<bool> stop_{false};
  std::atomic<int> next_{0};
  std::vector<std::thread> threads_;
};

} // namespace troupe::tests
