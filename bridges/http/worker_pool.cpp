#include "bridges/http/worker_pool.hpp"

#include <algorithm>
#include <system_error>

namespace troupe {

worker_pool::worker_pool(size_t threads, size_t queue, std::chrono::milliseconds idle)
  : max_threads_{std::max<size_t>(threads, 1)}, max_queue_{queue}, idle_{idle} {}

worker_pool::~worker_pool() {
  stop();
}

bool worker_pool::submit(job work) {
  auto lock = std::unique_lock{mutex_};
  if (stopped_)
    return false;
  // A free thread may not have taken its job yet: count jobs against threads.
  if (queue_.size() >= seats_.size() - busy_ && seats_.size() < max_threads_)
    add_thread();
  auto room = max_queue_ + seats_.size() - busy_;
  if (seats_.empty() || queue_.size() >= room)
    return false;
  queue_.push_back(std::move(work));
  if (!sleeping_.empty()) {
    auto at = sleeping_.back();
    sleeping_.pop_back();
    at->called = true;
    lock.unlock();
    at->wake.notify_one();
  }
  return true;
}

void worker_pool::add_thread() {
  for (auto& old : ended_)
    old.thread.join();
  ended_.clear();
  auto at = seats_.emplace(seats_.end());
  try {
    at->thread = std::thread{[this, at] { work(at); }};
  } catch (const std::system_error&) {
    seats_.erase(at); // No more threads to be had: those that are there must do.
  }
}

void worker_pool::work(seat_ptr at) {
  auto lock = std::unique_lock{mutex_};
  while (!stopped_) {
    if (!queue_.empty()) {
      auto next = std::move(queue_.front());
      queue_.pop_front();
      ++busy_;
      lock.unlock();
      next();
      next = nullptr;
      lock.lock();
      --busy_;
      continue;
    }
    at->called = false;
    sleeping_.push_back(at);
    if (!at->wake.wait_for(lock, idle_, [&] { return at->called || stopped_; })) {
      std::erase(sleeping_, at);
      ended_.splice(ended_.end(), seats_, at);
      return;
    }
  }
}

void worker_pool::stop() {
  auto lock = std::unique_lock{mutex_};
  stopped_ = true;
  queue_.clear();
  sleeping_.clear();
  for (auto& one : seats_)
    one.wake.notify_one();
  // Nobody leaves by itself now: `work` checks `stopped_` under the lock.
  lock.unlock();
  for (auto& one : seats_)
    one.thread.join();
  for (auto& one : ended_)
    one.thread.join();
  lock.lock();
  seats_.clear();
  ended_.clear();
}

size_t worker_pool::threads() const {
  auto lock = std::lock_guard{mutex_};
  return seats_.size();
}

} // namespace troupe
