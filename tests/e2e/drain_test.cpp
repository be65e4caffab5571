/// SIGTERM at random times under load: what was accepted finishes once, and the node
/// ends well in time. Source: spec/reliability_security.md R25.
#include "tests/support/fault_count.hpp"
#include "tests/support/job_audit.hpp"
#include "tests/support/promises.hpp"

#include <catch2/catch.hpp>

#include <atomic>
#include <mutex>
#include <random>
#include <thread>

using namespace troupe;
using namespace troupe::tests;
using namespace std::chrono_literals;

namespace {

// Some runs may be longer than the drain: they are handed back, and begun anew by the next node.
// A run handed back uses up a retry from the second time on: there must be enough.
constexpr auto drain_roles = R"(
  journal: {}
  jobs: {first_backoff: 100ms, second_backoff: 100ms, longest_backoff: 100ms}
  artifacts: {}
  tests:
    runners:
      fake: {driver: fake, slots: 4, prefetch: 2, drain_deadline: 1s}
  http: {port: 0, submission: {retries: 49}}
)";
constexpr auto drain_deadline = 1s;

json job_number(int n) {
  if (n % 100 == 0)
    return fake_job({{"FAKE_RUN_FOR", "1200ms"}});
  if (n % 5 == 0)
    return fake_job({{"FAKE_RUN_FOR", "50ms"}, {"FAKE_OUTPUT_BYTES", "100000"}});
  return fake_job();
}

} // namespace

TEST_CASE("SIGTERM at any time under load loses nothing and ends well in time", "[e2e][drain]") {
  auto node = node_process{drain_roles};
  auto folder = temp_folder{};
  auto book = promises{folder.path() + "/promises"};
  auto book_mutex = std::mutex{};
  auto stop = std::atomic<bool>{false};
  auto next_key = std::atomic<int>{0};
  auto surprises = std::atomic<int>{0};
  node.start();
  auto load = std::vector<std::thread>{};
  for (auto i = 0; i < 4; ++i)
    load.emplace_back([&] {
      while (!stop) {
        auto n = next_key++;
        auto key = "key-" + std::to_string(n);
        for (auto promised = false; !promised && !stop;) {
          auto answer = submit_as(node, key, job_number(n));
          promised = answer.status == 201;
          auto guard = std::lock_guard{book_mutex};
          if (promised)
            book.note(key, answer.document().at("job_id").get<std::string>());
          else if (answer.status != 0 && answer.status != 503)
            ++surprises;
        }
      }
    });

  auto seed = std::random_device{}();
  INFO("seed " << seed);
  auto random = std::mt19937{seed};
  auto drains = fault_count(10, 200);
  auto bad_ends = std::vector<std::string>{};
  for (auto i = 0U; i < drains; ++i) {
    auto ready = node.await_ready();
    std::this_thread::sleep_for(std::chrono::microseconds{random() % 300'000});
    auto code = node.stop(drain_deadline + 2s);
    if (!ready || !code || *code != 0)
      bad_ends.push_back(std::to_string(i) + (ready ? "" : " not ready")
                         + (code ? " exit " + std::to_string(*code) : " too late"));
    if (!code)
      node.crash();
    node.launch();
  }
  auto ready = node.await_ready();
  stop = true;
  for (auto& thread : load)
    thread.join();
  REQUIRE(ready);
  for (const auto& end : bad_ends)
    FAIL_CHECK(end << '\n' << node.log());
  CHECK(surprises == 0);

  await_all_finished(node);
  auto promised = book.all();
  CHECK(promised.size() > drains);
  auto jobs = audit_jobs(node, promised, static_cast<size_t>(next_key));
  WARN(drains << " drains, " << promised.size() << " promises, " << jobs << " jobs");
  CHECK(node.stop() == 0);
}
