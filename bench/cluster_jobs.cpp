#include "bench/cluster_jobs.hpp"

#include "actors/run_pool.hpp"
#include "actors/runners/catalog/catalog.hpp"
#include "actors/test_runner.hpp"
#include "bench/job_load.hpp"
#include "tests/support/cluster_home.hpp"
#include "tests/support/joined_node.hpp"
#include "tests/support/slurp.hpp"

#include <caf/scoped_actor.hpp>
#include <sys/resource.h>

#include <csignal>
#include <functional>
#include <optional>
#include <thread>

namespace troupe::bench {

namespace {

using namespace std::chrono_literals;
using steady = std::chrono::steady_clock;

constexpr auto spec_bytes = size_t{300};
constexpr auto state_roles = "  journal: {}\n  jobs: {}\n  artifacts: {}\n";
constexpr auto runner_roles =
  "  tests:\n    runners:\n      fake: {driver: fake, slots: 4, prefetch: 64}\n";

double own_cpu_seconds() {
  auto used = rusage{};
  getrusage(RUSAGE_SELF, &used);
  auto seconds = [](const timeval& x) {
    return static_cast<double>(x.tv_sec) + static_cast<double>(x.tv_usec) / 1e6;
  };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

/// Waits until the history has followed all that was decided: its work belongs to the jobs, too.
void await_history(caf::actor_system& sys, const directory& roles) {
  auto followed = false;
  auto one = list_jobs{};
  one.limit = 1;
  while (!followed)
    if (auto history = roles.find<job_history_actor>("history"))
      caf::scoped_actor {
        sys
        } -> request(history, 5s, one)
          .receive([&](const job_page&) { followed = true; }, [](const caf::error&) {});
    else
      std::this_thread::sleep_for(5ms);
}

/// The rate is that from when a tenth of the jobs is done, as the runner may have to start first.
job_figures watch_jobs(tests::joined_node& node, size_t jobs,
                       const std::function<double()>& cpu_seconds,
                       const std::function<void()>& start_runner) {
  auto ledger = node.await_role<job_ledger_actor>("jobs");
  auto look = [&] {
    std::this_thread::sleep_for(20ms);
    return jobs_left(node.actors(), ledger);
  };
  while (look() > 0) // the ledger reads the history first
    ;
  submit_all(node.actors(), ledger, jobs, spec_bytes);
  await_history(node.actors(), node.roles());
  auto cpu = cpu_seconds();
  start_runner();
  auto left = look();
  for (auto limit = steady::now() + 30s; left > jobs * 9 / 10; left = look())
    if (steady::now() > limit)
      throw std::runtime_error{"the runner does not begin"};
  auto measured = static_cast<double>(left);
  auto start = steady::now();
  while (left > 0)
    left = look();
  auto seconds = std::chrono::duration<double>(steady::now() - start).count();
  await_history(node.actors(), node.roles());
  return {measured / seconds, (cpu_seconds() - cpu) / static_cast<double>(jobs)};
}

/// Asks a node to leave. Throws if it does not.
void leave(tests::child_process& node, const std::string& log) {
  node.signal(SIGTERM);
  if (node.wait(60s) != 0)
    throw std::runtime_error{"a node does not leave: " + tests::slurp(log)};
}

} // namespace

job_figures measure_remote_jobs(size_t jobs) {
  auto home = tests::cluster_home{{"state-1", "bench-1", "runner-1"}};
  auto state = home.launch("state-1", home.listener(state_roles));
  auto port = home.await_port();
  auto watcher = tests::joined_node{home.dialer("bench-1", "", port)};
  auto runner = std::optional<tests::child_process>{};
  auto cpu_seconds = [&] {
    auto of_others = state.cpu_time();
    if (runner)
      of_others += runner->cpu_time();
    return own_cpu_seconds() + std::chrono::duration<double>(of_others).count();
  };
  auto out = watch_jobs(watcher, jobs, cpu_seconds, [&] {
    runner.emplace(home.launch("runner-1", home.dialer("runner-1", runner_roles, port)));
  });
  leave(*runner, home.log_of("runner-1"));
  leave(state, home.log_of("state-1"));
  return out;
}

job_figures measure_local_jobs(size_t jobs) {
  auto folder = tests::temp_folder{};
  auto it =
    tests::joined_node{"node: {log: warning, data: " + folder.path() + "}\nroles:\n" + state_roles};
  auto no_options = section{};
  auto driver = make_runner("fake", no_options, {"bench-fake", folder.path() + "/runner"});
  if (!driver)
    throw std::runtime_error{one_line(driver.error())};
  auto options = test_runner_options{};
  options.name = "bench-fake";
  options.driver = "fake";
  options.boot = "bench";
  options.slots = 4;
  options.prefetch = 64;
  options.queues = {"fake-x86_64-0"};
  auto make = pool_maker(it.actors(), &it.roles(), *driver, options.slots);
  auto runner = test_runner_actor{};
  auto out = watch_jobs(it, jobs, own_cpu_seconds, [&] {
    runner = it.actors().spawn<caf::detached>(test_runner, &it.roles(), options, make);
  });
  auto self = caf::scoped_actor{it.actors()};
  self->send_exit(runner, caf::exit_reason::user_shutdown);
  self->wait_for(runner);
  return out;
}

} // namespace troupe::bench
