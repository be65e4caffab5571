#include "actors/log_flusher.hpp"

#include <utility>

namespace troupe {

log_flusher::log_flusher(std::chrono::milliseconds delay)
  : delay_{delay}, thread_{[this] { loop(); }} {}

log_flusher::~log_flusher() {
  {
    auto guard = std::lock_guard{mutex_};
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void log_flusher::flush_later(std::weak_ptr<flushable> what) {
  {
    auto guard = std::lock_guard{mutex_};
    queue_.push_back({clock::now() + delay_, std::move(what)});
  }
  changed_.notify_one();
}

void log_flusher::loop() {
  auto guard = std::unique_lock{mutex_};
  while (true) {
    changed_.wait(guard, [this] { return stopping_ || !queue_.empty(); });
    if (!stopping_)
      changed_.wait_until(guard, queue_.front().when, [this] { return stopping_; });
    if (stopping_)
      return;
    auto due = std::move(queue_.front().what);
    queue_.pop_front();
    guard.unlock();
    if (auto alive = due.lock())
      alive->flush_now();
    guard.lock();
  }
}

} // namespace troupe
