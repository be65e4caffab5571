#include "bench/cluster_jobs.hpp"

#include "actors/run_pool.hpp"
#include "actors/runners/catalog/catalog.hpp"
#include "actors/test_runner.hpp"
#include "bench/job_load.hpp"
#include "tests/support/cluster_home.hpp"
#include "tests/support/joined_node.hpp"

#include <caf/scoped_actor.hpp>
#include <sys/resource.h>

#include <csignal>
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

/// Measures from when a tenth of the jobs is done: the runner's start is no part of it.
job_figures watch_jobs(caf::actor_system& sys, const job_ledger_actor& ledger, size_t jobs,
                       const std::function<double()>& cpu_seconds) {
  auto look = [&] {
    std::this_thread::sleep_for(20ms);
    return jobs_left(sys, ledger);
  };
  auto left = look();
  while (left > jobs * 9 / 10)
    left = look();
  auto measured = static_cast<double>(left);
  auto cpu = cpu_seconds();
  auto start = steady::now();
  while (left > 0)
    left = look();
  auto seconds = std::chrono::duration<double>(steady::now() - start).count();
  return {measured / seconds, (cpu_seconds() - cpu) / measured};
}

void fill(caf::actor_system& sys, const job_ledger_actor& ledger, size_t jobs) {
  while (jobs_left(sys, ledger) > 0) // it reads the history first
    std::this_thread::sleep_for(5ms);
  submit_all(sys, ledger, jobs, spec_bytes);
}

} // namespace

job_figures measure_remote_jobs(size_t jobs) {
  auto home = tests::cluster_home{{"state-1", "bench-1", "runner-1"}};
  auto state = home.launch("state-1", home.listener(state_roles));
  auto port = home.await_port();
  auto watcher = tests::joined_node{home.dialer("bench-1", "", port)};
  auto ledger = watcher.await_role<job_ledger_actor>("jobs");
  fill(watcher.actors(), ledger, jobs);
  auto runner = home.launch("runner-1", home.dialer("runner-1", runner_roles, port));
  auto out = watch_jobs(watcher.actors(), ledger, jobs, [&] {
    auto of_others = std::chrono::duration<double>(state.cpu_time() + runner.cpu_time());
    return own_cpu_seconds() + of_others.count();
  });
  for (auto process : {&runner, &state}) {
    process->signal(SIGTERM);
    process->wait(60s);
  }
  return out;
}

job_figures measure_local_jobs(size_t jobs) {
  auto folder = tests::temp_folder{};
  auto it =
    tests::joined_node{"node: {log: warning, data: " + folder.path() + "}\nroles:\n" + state_roles};
  auto ledger = it.await_role<job_ledger_actor>("jobs");
  fill(it.actors(), ledger, jobs);
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
  test_runner_actor runner =
    it.actors().spawn<caf::detached>(test_runner, &it.roles(), options, make);
  auto out = watch_jobs(it.actors(), ledger, jobs, own_cpu_seconds);
  auto self = caf::scoped_actor{it.actors()};
  self->send_exit(runner, caf::exit_reason::user_shutdown);
  self->wait_for(runner);
  return out;
}

} // namespace troupe::bench
