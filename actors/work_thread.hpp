#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

namespace troupe {

/// One thread that does blocking work in the order of its arrival. Destroying
/// it finishes the work at hand and drops the rest.
///
/// Threads: `post` from any.
class work_thread {
public:
  work_thread();
  ~work_thread();
  work_thread(const work_thread&) = delete;
  work_thread& operator=(const work_thread&) = delete;

  void post(std::function<void()> work);

private:
  void loop();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> queue_;
  bool stopping_ = false;
  std::thread thread_;
};

} // namespace troupe
