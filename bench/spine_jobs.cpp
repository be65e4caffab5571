#include "bench/spine_jobs.hpp"

#include "messages/test.hpp"
#include "nodes/node.hpp"
#include "tests/support/temp_folder.hpp"

#include <caf/scoped_actor.hpp>

#include <chrono>
#include <iostream>
#include <stdexcept>
#include <thread>

namespace troupe::bench {

namespace {

constexpr auto batch_size = size_t{64};
constexpr auto window = size_t{16};

submit_job hello_job() {
  auto spec = test_spec{};
  spec.runner_type = "fake";
  spec.dist_name = "debian";
  spec.dist_version = "12";
  spec.dist_arch = "x86_64";
  spec.package_name = "hello";
  auto out = submit_job{};
  out.kind = "test";
  out.queue = "fake-x86_64-0";
  out.subject = "hello";
  out.tags = {{"dist", "debian-12"}, {"arch", "x86_64"}};
  out.owner = "bench";
  out.spec = pack(spec);
  return out;
}

/// Sends `jobs` in batches, `window` of them outstanding.
void submit_all(caf::actor_system& sys, const job_ledger_actor& ledger, size_t jobs) {
  auto self = caf::scoped_actor{sys};
  auto batch = submit_jobs{std::vector<submit_job>(batch_size, hello_job())};
  auto sent = size_t{0};
  auto pending = size_t{0};
  auto send = [&] {
    self->send(caf::actor_cast<caf::actor>(ledger), batch);
    sent += batch_size;
    ++pending;
  };
  while (sent < jobs || pending > 0) {
    while (sent < jobs && pending < window)
      send();
    self->receive([&](const jobs_accepted&) { --pending; },
                  [&](caf::error& why) { throw std::runtime_error{one_line(why)}; });
  }
}

bool all_done(caf::actor_system& sys, const job_ledger_actor& ledger) {
  auto left = uint64_t{1};
  caf::scoped_actor {
    sys
    } -> request(ledger, std::chrono::seconds{10}, queues_atom_v)
      .receive(
        [&](const queue_list& list) {
          left = 0;
          for (const auto& queue : list.queues)
            left += queue.queued + queue.running;
        },
        [](const caf::error&) {});
  return left == 0;
}

} // namespace

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
  while (!all_done(it.actors(), ledger)) // it reads the history first
    std::this_thread::sleep_for(std::chrono::milliseconds{5});
  // The first claim of the runner must not be part of the time.
  submit_all(it.actors(), ledger, batch_size);
  while (!all_done(it.actors(), ledger))
    std::this_thread::sleep_for(std::chrono::milliseconds{5});
  auto start = std::chrono::steady_clock::now();
  submit_all(it.actors(), ledger, jobs);
  while (!all_done(it.actors(), ledger))
    std::this_thread::sleep_for(std::chrono::milliseconds{2});
  auto seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  it.stop();
  return static_cast<double>(jobs) / seconds;
}

} // namespace troupe::bench
