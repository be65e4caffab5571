#include "actors/work_thread.hpp"

#include "config/log.hpp"

#include <exception>
#include <utility>

namespace troupe {

namespace {

/// What throws ends neither the thread nor the process, but is told.
void run_guarded(const std::function<void()>& work) try { work(); } catch (const std::exception& why) {
  log(log_level::error, "work_thread", "work failed", {{"why", why.what()}});
} catch (...) {
  log(log_level::error, "work_thread", "work failed for an unknown reason");
}

} // namespace

work_thread::work_thread() : thread_{[this] { loop(); }} {}

work_thread::~work_thread() {
  {
    auto guard = std::lock_guard{mutex_};
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void work_thread::post(std::function<void()> work) {
  {
    auto guard = std::lock_guard{mutex_};
    queue_.push_back(std::move(work));
  }
  changed_.notify_one();
}

void work_thread::loop() {
  auto guard = std::unique_lock{mutex_};
  while (true) {
    changed_.wait(guard, [this] { return stopping_ || !queue_.empty(); });
    if (stopping_)
      return;
    auto work = std::move(queue_.front());
    queue_.pop_front();
    guard.unlock();
    run_guarded(work);
    work = nullptr; // what it holds must not be destroyed under the lock
    guard.lock();
  }
}

} // namespace troupe
