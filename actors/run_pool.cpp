#include "actors/run_pool.hpp"

#include <algorithm>
#include <exception>
#include <utility>

namespace troupe {

namespace {

constexpr auto flush_delay = std::chrono::milliseconds{200};

run_key key_of(const run_order& order) {
  return {order.job, order.run_id};
}

/// Drivers do not throw, but memory may run out: what they throw makes the runner broken.
template <class F>
caf::error guarded(F&& call) try {
  return call();
} catch (const std::exception& why) {
  return fault(ec::unavailable, std::string{"the driver failed: "} + why.what());
} catch (...) {
  return fault(ec::unavailable, "the driver failed for an unknown reason");
}

run_report not_begun(const run_order& order, reason why) {
  return {order.job, order.run_id, verdict_of(why), why, "the run was not begun", {}};
}

} // namespace

run_pool::run_pool(runner_driver_ptr driver, uint32_t slots, std::shared_ptr<artifact_writer> store,
                   std::function<void()> news)
  : driver_{std::move(driver)}, store_{std::move(store)}, tell_{std::move(news)},
    flusher_{std::make_shared<log_flusher>(flush_delay)} {
  for (auto i = uint32_t{0}; i < slots; ++i)
    threads_.emplace_back([this] { work(); });
}

run_pool::~run_pool() {
  {
    auto guard = std::lock_guard{mutex_};
    stopping_ = true;
    for (auto& [key, run] : active_)
      run.stop.request_stop();
  }
  changed_.notify_all();
  for (auto& thread : threads_)
    thread.join();
}

template <class F>
void run_pool::announce(F&& change) {
  auto first = false;
  {
    auto guard = std::lock_guard{mutex_};
    change(news_);
    first = !std::exchange(told_, true);
  }
  if (first)
    tell_();
}

void run_pool::start(std::vector<run_order> orders) {
  {
    auto guard = std::lock_guard{mutex_};
    for (auto& order : orders)
      waiting_.push_back(std::move(order));
  }
  changed_.notify_all();
}

void run_pool::stop(const std::vector<run_key>& runs, reason why) {
  announce([&](run_news& news) {
    for (const auto& key : runs) {
      if (auto i = active_.find(key); i != active_.end()) {
        i->second.why = why;
        i->second.stop.request_stop();
      }
      auto is_same = [&](const run_order& x) { return key_of(x) == key; };
      auto i = std::find_if(waiting_.begin(), waiting_.end(), is_same);
      if (i != waiting_.end()) {
        news.finished.push_back(not_begun(*i, why));
        waiting_.erase(i);
      }
    }
  });
}

void run_pool::stop_waiting(reason why) {
  announce([&](run_news& news) {
    for (const auto& order : std::exchange(waiting_, {}))
      news.finished.push_back(not_begun(order, why));
  });
}

/// Holds back new runs while a sweep goes on, or the driver would take them for dead ones.
class run_pool::sweep_pause {
public:
  sweep_pause(run_pool& pool, std::vector<run_key>& alive) : pool_{pool} {
    auto guard = std::lock_guard{pool_.mutex_};
    for (const auto& [key, run] : pool_.active_)
      alive.push_back(key);
    pool_.sweeping_ = true;
  }
  ~sweep_pause() {
    {
      auto guard = std::lock_guard{pool_.mutex_};
      pool_.sweeping_ = false;
    }
    pool_.changed_.notify_all();
  }
  sweep_pause(const sweep_pause&) = delete;
  sweep_pause& operator=(const sweep_pause&) = delete;

private:
  run_pool& pool_;
};

void run_pool::check() {
  housekeeping_.post([this] {
    auto fault = guarded([this] { return driver_->check(); });
    announce([&](run_news& news) { news.check = fault ? std::move(fault) : sweep_fault_; });
  });
}

void run_pool::sweep(std::vector<run_key> alive) {
  housekeeping_.post([this, alive = std::move(alive)]() mutable {
    auto fault = guarded([&] {
      auto pause = sweep_pause{*this, alive};
      driver_->sweep(alive);
      return caf::error{};
    });
    sweep_fault_ = std::move(fault);
    if (sweep_fault_)
      announce([this](run_news& news) { news.check = sweep_fault_; });
  });
}

run_news run_pool::take() {
  auto guard = std::lock_guard{mutex_};
  told_ = false;
  return std::exchange(news_, {});
}

void run_pool::work() {
  auto guard = std::unique_lock{mutex_};
  while (true) {
    changed_.wait(guard, [this] { return stopping_ || (!waiting_.empty() && !sweeping_); });
    if (stopping_)
      return;
    auto order = std::move(waiting_.front());
    waiting_.pop_front();
    auto key = key_of(order);
    auto token = active_[key].stop.get_token();
    guard.unlock();
    auto report = execute_guarded(order, token);
    announce([&](run_news& news) {
      auto i = active_.find(key);
      // The driver only knows that it was stopped; who stopped it knows why.
      if (report.why == reason::canceled && i->second.why != reason::none) {
        report.why = i->second.why;
        report.result = verdict_of(report.why);
      }
      active_.erase(i);
      news.finished.push_back(std::move(report));
    });
    guard.lock();
  }
}

run_report run_pool::execute(const run_order& order, std::stop_token stop) {
  auto tell_stage = [this](stage_report report) {
    announce([&](run_news& news) { news.stages.push_back(std::move(report)); });
  };
  auto recorder = std::make_shared<run_recorder>(key_of(order), store_, flusher_, tell_stage, stop);
  auto outcome = call_driver(order, *recorder, stop);
  if (outcome.result == verdict::none)
    outcome = {verdict::error, reason::internal_error, "the driver gave no verdict"};
  return recorder->finish(std::move(outcome));
}

run_outcome run_pool::call_driver(const run_order& order, run_sink& sink, std::stop_token stop) {
  auto outcome = run_outcome{};
  auto fault = guarded([&] {
    outcome = driver_->run(order, sink, std::move(stop));
    return caf::error{};
  });
  if (fault)
    return {verdict::error, reason::internal_error, one_line(fault)};
  return outcome;
}

/// A run that cannot even be recorded is reported, too: a lost thread would be a lost slot.
run_report run_pool::execute_guarded(const run_order& order, std::stop_token stop) {
  auto report = run_report{};
  auto fault = guarded([&] {
    report = execute(order, std::move(stop));
    return caf::error{};
  });
  if (fault)
    return {order.job, order.run_id, verdict::error, reason::internal_error, one_line(fault), {}};
  return report;
}

std::function<std::unique_ptr<run_executor>(std::function<void()>)>
pool_maker(caf::actor_system& system, const directory* roles, runner_driver_ptr driver,
           uint32_t slots) {
  return [=, &system](std::function<void()> news) -> std::unique_ptr<run_executor> {
    return std::make_unique<run_pool>(driver, slots, std::make_shared<store_writer>(system, roles),
                                      std::move(news));
  };
}

} // namespace troupe
