#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <list>
#include <mutex>
#include <thread>
#include <vector>

namespace troupe {

/// Threads that are made when there is work for them and end when there is none.
/// The thread that slept last works first, so the others can end.
///
/// Threads: all functions from any thread; `stop` once.
class worker_pool {
public:
  using job = std::function<void()>;

  /// At most `threads` threads; at most `queue` jobs wait for one; a thread
  /// without work for `idle` ends.
  worker_pool(size_t threads, size_t queue, std::chrono::milliseconds idle);
  ~worker_pool();
  worker_pool(const worker_pool&) = delete;
  worker_pool& operator=(const worker_pool&) = delete;

  /// Takes a job; false if the queue is full, or after `stop`.
  bool submit(job work);

  /// Waits for running jobs and ends all threads; waiting jobs are dropped.
  void stop();

  size_t threads() const;

private:
  struct seat {
    std::condition_variable wake;
    std::thread thread;
    bool called = false;
  };
  using seat_ptr = std::list<seat>::iterator;

  void work(seat_ptr at);
  void add_thread();

  const size_t max_threads_;
  const size_t max_queue_;
  const std::chrono::milliseconds idle_;
  mutable std::mutex mutex_;
  std::deque<job> queue_;
  std::list<seat> seats_;
  std::vector<seat_ptr> sleeping_; ///< The last one slept last.
  std::list<seat> ended_;          ///< Their threads have left; to be joined.
  size_t busy_ = 0;                ///< Threads that run a job.
  bool stopped_ = false;
};

} // namespace troupe
