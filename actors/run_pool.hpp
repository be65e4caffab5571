#pragma once

#include "actors/log_flusher.hpp"
#include "actors/run_executor.hpp"
#include "actors/run_recorder.hpp"
#include "actors/work_thread.hpp"

#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace troupe {

/// Executes runs of one driver on a fixed number of threads, with one more
/// thread for `check` and `sweep`. Destroying it stops all runs and waits for them.
///
/// `news` is called (from any thread) when there is something to `take`, once
/// until it is taken.
class run_pool : public run_executor {
public:
  run_pool(runner_driver_ptr driver, uint32_t slots, std::shared_ptr<artifact_writer> store,
           std::function<void()> news);
  ~run_pool() override;

  void start(std::vector<run_order> orders) override;
  void stop(const std::vector<run_key>& runs, reason why) override;
  void stop_waiting(reason why) override;
  void check() override;
  void sweep(std::vector<run_key> alive) override;
  run_news take() override;

private:
  struct active_run {
    std::stop_source stop;
    reason why = reason::none; ///< Of the stop.
  };

  class sweep_pause;

  void work();
  run_report execute_guarded(const run_order& order, std::stop_token stop);
  run_report execute(const run_order& order, std::stop_token stop);
  run_outcome call_driver(const run_order& order, run_sink& sink, std::stop_token stop);
  /// Changes the news under the lock and tells of it.
  template <class F>
  void announce(F&& change);

  const runner_driver_ptr driver_;
  const std::shared_ptr<artifact_writer> store_;
  const std::function<void()> tell_;
  const std::shared_ptr<log_flusher> flusher_;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<run_order> waiting_;
  std::map<run_key, active_run> active_;
  run_news news_;
  bool told_ = false;
  bool sweeping_ = false;
  bool stopping_ = false;

  caf::error sweep_fault_; ///< Of the last sweep; `housekeeping_` alone uses it.

  std::vector<std::thread> threads_;
  work_thread housekeeping_; ///< Last member: it ends first.
};

/// Returns the maker of a pool whose logs go to the actor that plays "artifacts".
std::function<std::unique_ptr<run_executor>(std::function<void()>)>
pool_maker(caf::actor_system& system, const directory* roles, runner_driver_ptr driver,
           uint32_t slots);

} // namespace troupe
