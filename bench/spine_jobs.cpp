#include "bench/spine_jobs.hpp"

#include "bench/job_load.hpp"
#include "nodes/node.hpp"
#include "tests/support/temp_folder.hpp"

#include <chrono>
#include <iostream>
#include <stdexcept>
#include <thread>

namespace troupe::bench {

double measure_jobs_end_to_end(size_t jobs) {
  auto folder = tests::temp_folder{};
  auto root = section::from_text("node: {log: error, data: " + folder.path() + R"(}
roles:
  journal: {}
  jobs: {}
  artifacts: {}
  tests:
    runners:
      fake: {driver: fake, slots: 4, prefetch: 64}
)",
                                 "bench");
  auto it = node{};
  if (!root || it.start(*root, [](const std::string& why, bool) { std::cerr << why << '\n'; }))
    throw std::runtime_error{"the node does not start"};
  auto ledger = it.roles().find<job_ledger_actor>("jobs");
  while (jobs_left(it.actors(), ledger) > 0) // it reads the history first
    std::this_thread::sleep_for(std::chrono::milliseconds{5});
  // The first claim of the runner must not be part of the time.
  submit_all(it.actors(), ledger, job_batch);
  while (jobs_left(it.actors(), ledger) > 0)
    std::this_thread::sleep_for(std::chrono::milliseconds{5});
  auto start = std::chrono::steady_clock::now();
  submit_all(it.actors(), ledger, jobs);
  while (jobs_left(it.actors(), ledger) > 0)
    std::this_thread::sleep_for(std::chrono::milliseconds{2});
  auto seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  it.stop();
  return static_cast<double>(jobs) / seconds;
}

} // namespace troupe::bench
