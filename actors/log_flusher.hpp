#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>

namespace troupe {

/// Something with a buffer that must not wait for ever.
class flushable {
public:
  virtual ~flushable() = default;
  virtual void flush_now() = 0;
};

/// Calls `flush_now` a while after it was asked to, on its own thread, so that a
/// follower sees a line soon even when nothing comes after it.
///
/// Threads: `flush_later` from any. Sleeps while nobody asks.
class log_flusher {
public:
  explicit log_flusher(std::chrono::milliseconds delay);
  ~log_flusher();
  log_flusher(const log_flusher&) = delete;
  log_flusher& operator=(const log_flusher&) = delete;

  void flush_later(std::weak_ptr<flushable> what);

private:
  using clock = std::chrono::steady_clock;
  struct entry {
    clock::time_point when;
    std::weak_ptr<flushable> what;
  };

  void loop();

  std::chrono::milliseconds delay_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<entry> queue_; ///< In order of time, because the delay is always the same.
  bool stopping_ = false;
  std::thread thread_;
};

} // namespace troupe
