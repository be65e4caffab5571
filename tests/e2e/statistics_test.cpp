/// The statistics of a real node: kill -9, what the client shows and exports, and that
/// a rebuild from the journal is equal to the byte.
#include "actors/journal/embedded_backend.hpp"
#include "tests/support/fault_count.hpp"
#include "tests/support/job_audit.hpp"
#include "tests/support/work_script.hpp"

#include <catch2/catch.hpp>

#include <atomic>
#include <filesystem>
#include <random>
#include <thread>

using namespace troupe;
using namespace troupe::tests;

namespace {

const auto* const roles = R"(
  journal: {}
  jobs: {first_backoff: 50ms, second_backoff: 100ms, longest_backoff: 200ms}
  statistics: {}
  artifacts: {}
  tests:
    runners:
      fake:
        driver: fake
        slots: 4
        prefetch: 8
  http:
    port: 0
)";

finished_process client(const node_process& node, std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), program("troupe"));
  arguments.insert(arguments.end(), {"--server", node.server(), "--data", node.data()});
  return run_process(arguments);
}

json statistics_of(const node_process& node) {
  auto got = node.get("/statistics");
  REQUIRE(got.status == 200);
  return got.document();
}

std::string rows_of(const std::string& file, const std::string& query) {
  auto got = run_process({"/usr/bin/sqlite3", file, query});
  REQUIRE(got.exit_code == 0);
  return got.output;
}

/// Counts the whole journal of a stopped node again and compares.
void check_rebuild(const std::string& data) {
  auto store = database::open(data + "/store");
  REQUIRE(store);
  auto journal = embedded_backend::open(*store);
  REQUIRE(journal);
  auto rebuilt = std::make_shared<memory_table>();
  auto fold = statistics_fold{rebuilt};
  auto next = read_events{};
  for (auto more = true; more;) {
    auto batch = (*journal)->read(next);
    REQUIRE(batch);
    REQUIRE_FALSE(fold.apply(*batch));
    next.from = batch->next;
    more = !batch->at_end;
  }
  auto live = make_projection_table(*store, family::statistics);
  auto kept = statistics_fold{live};
  REQUIRE_FALSE(kept.open());
  CHECK(kept.applied() == fold.applied());
  CHECK(dump(*live) == dump(*rebuilt));
}

} // namespace

TEST_CASE("statistics survive kill -9 and equal a rebuild to the byte", "[e2e][statistics]") {
  auto node = node_process{roles};
  node.start();
  auto stop = std::atomic<bool>{false};
  auto accepted = std::atomic<int>{0};
  auto load = std::thread{[&] {
    for (auto i = 0; !stop; ++i) {
      auto job = fake_job();
      job["retries"] = 49;
      auto key = "key-" + std::to_string(i);
      while (submit_as(node, key, job).status != 201 && !stop)
        breathe();
      ++accepted;
      breathe();
    }
  }};
  auto random = std::mt19937{std::random_device{}()};
  for (auto i = 0u; i < fault_count(5, 100); ++i) {
    CHECK(node.await_ready());
    std::this_thread::sleep_for(std::chrono::microseconds{random() % 400'000});
    node.crash();
    node.launch();
  }
  REQUIRE(node.await_ready());
  stop = true;
  load.join();
  await_all_finished(node);
  auto jobs = all_jobs(node);
  auto got = statistics_of(node);
  const auto& tests = got["kinds"]["test"];
  CHECK(tests["distributed"] == jobs.size());
  CHECK(tests["processed"] == jobs.size());
  CHECK(tests["in_progress"] == 0);
  CHECK(tests["waiting"] == 0);
  CHECK(accepted > 0);
  CHECK(node.stop() == 0);
  check_rebuild(node.data());

  // Deleted, it is counted again from the journal.
  {
    auto store = database::open(node.data() + "/store");
    REQUIRE(store);
    auto batch = write_batch{**store};
    batch.erase_range(family::statistics, "", "\xff");
    REQUIRE_FALSE((*store)->write(batch, durability::synced));
  }
  node.start();
  auto again = statistics_of(node);
  CHECK(again["kinds"]["test"]["processed"] == jobs.size());
  CHECK(again["kinds"]["test"]["spend"] == tests["spend"]);
  CHECK(node.stop() == 0);
  check_rebuild(node.data());
}

TEST_CASE("the client shows, watches and exports statistics", "[e2e][statistics]") {
  auto node = node_process{roles};
  node.start();
  for (auto i = 0; i < 3; ++i)
    node.await_job(node.submit(fake_job()));

  auto shown = client(node, {"stats"});
  CHECK(shown.exit_code == 0);
  CHECK(shown.output.find("KIND") != std::string::npos);
  CHECK(shown.output.find("test") != std::string::npos);

  auto console = client(node, {"stats", "--console"});
  CHECK(console.output
        == std::string(80, '=')
             + "\nself.processed=0\nself.distributed=0\nself.generated=0\nself.in_progress=0\n"
             + std::string(80, '=') + '\n');

  auto raw = client(node, {"stats", "--json"});
  REQUIRE(parse_json_text(raw.output));
  CHECK((*parse_json_text(raw.output))["kinds"]["test"]["processed"] == 3);
  CHECK(client(node, {"stats", "--watch", "0"}).exit_code == 2);

  auto folder = temp_folder{};
  auto file = folder.path() + "/stats.db";
  auto saved = client(node, {"stats", "export", file});
  INFO(saved.output);
  REQUIRE(saved.exit_code == 0);
  CHECK(rows_of(file, "select * from statistics").find("generated|0\n") != std::string::npos);
  CHECK(rows_of(file, "select name, processed from kinds") == "test|3\n");
  CHECK(rows_of(file, "select word, count from outcomes where what = 'result'") == "pass|3\n");
  CHECK(rows_of(file, "select count(*) from packages") == "1\n");
  CHECK(rows_of(file, "select count(*) from objects") == "0\n");
  CHECK(client(node, {"stats", "export", file}).exit_code == 0); // replaced
  CHECK(client(node, {"stats", "export", folder.path() + "/none/stats.db"}).exit_code == 2);
  auto files = std::distance(std::filesystem::directory_iterator{folder.path()}, {});
  CHECK(files == 1); // nothing half-written is left
  CHECK(node.stop() == 0);
}
