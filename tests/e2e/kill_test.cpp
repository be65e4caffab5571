/// kill -9 of the whole node at any instruction: nothing accepted is lost, nothing
/// takes effect twice. Source: spec/reliability_security.md R1.
#include "tests/support/job_audit.hpp"
#include "tests/support/promises.hpp"

#include <catch2/catch.hpp>

#include <atomic>
#include <cstdlib>
#include <mutex>
#include <random>
#include <thread>

using namespace troupe;
using namespace troupe::tests;

namespace {

const auto* const roles = R"(
  journal: {}
  jobs: {first_backoff: 50ms, second_backoff: 100ms, longest_backoff: 200ms}
  artifacts: {}
  tests:
    runners:
      fake:
        driver: fake
        slots: 4
        prefetch: 8
  http:
    port: 0
    max_connections_per_address: 512
)";

int kills() {
  if (const auto* n = std::getenv("TROUPE_KILLS"))
    return std::atoi(n);
  return std::getenv("TROUPE_LONG") != nullptr ? 1000 : 200;
}

/// Submits with one key until it is promised; a lost answer is asked for again.
void submit_until_promised(const node_process& node, const std::string& key, promises& book,
                           std::mutex& book_mutex, const std::atomic<bool>& stop) {
  auto job = fake_job();
  job["retries"] = 49; // a job may run at many of the kills
  while (!stop) {
    auto answer = submit_as(node, key, job);
    if (answer.status == 201) {
      auto guard = std::lock_guard{book_mutex};
      return book.note(key, answer.document().at("job_id").get<std::string>());
    }
    if (answer.status != 0 && answer.status != 503)
      throw std::runtime_error{"unexpected answer: " + answer.body};
    breathe();
  }
}

} // namespace

TEST_CASE("kill -9 at any instruction loses nothing and doubles nothing", "[e2e][kill]") {
  auto node = node_process{roles};
  auto folder = temp_folder{};
  auto book = promises{folder.path() + "/promises"};
  auto book_mutex = std::mutex{};
  auto stop = std::atomic<bool>{false};
  auto next_key = std::atomic<int>{0};
  node.start();
  auto load = std::vector<std::thread>{};
  for (auto i = 0; i < 4; ++i)
    load.emplace_back([&] {
      while (!stop)
        submit_until_promised(node, "key-" + std::to_string(next_key++), book, book_mutex, stop);
    });

  auto seed = std::random_device{}();
  INFO("seed " << seed);
  auto random = std::mt19937{seed};
  auto crashed_while_ready = 0;
  for (auto i = 0; i < kills(); ++i) {
    // Every fourth crash may hit the start itself.
    if (i % 4 != 0 && node.await_ready())
      ++crashed_while_ready;
    std::this_thread::sleep_for(std::chrono::microseconds{random() % 150'000});
    node.crash();
    node.launch();
  }
  REQUIRE(node.await_ready());
  stop = true;
  for (auto& thread : load)
    thread.join();
  CHECK(crashed_while_ready > kills() / 2);

  await_all_finished(node);
  auto promised = book.all();
  CHECK(promised.size() > 0);
  // A key whose answer was lost at the very end may have a job without a promise; no key has two.
  auto jobs = audit_jobs(node, promised, static_cast<size_t>(next_key));
  WARN(kills() << " kills, " << promised.size() << " promises, " << jobs << " jobs");
  CHECK(node.stop() == 0);
}
