/// A cluster of two releases: nodes are upgraded one by one under load, then rolled
/// back. Source: spec/reliability_security.md R26.
#include "tests/support/slurp.hpp"
#include "tests/support/steady_load.hpp"
#include "tests/support/test_cluster.hpp"

#include <catch2/catch.hpp>

#include <filesystem>
#include <thread>

using namespace troupe;
using namespace troupe::tests;
using namespace std::chrono_literals;

namespace {

const auto* const next_release = TROUPE_BINARY_DIR "/tests/troupe-node-next";

/// Returns whether the next release has written records into a data folder.
bool holds_future_records(const std::string& data) {
  for (const auto& file : std::filesystem::recursive_directory_iterator{data})
    if (file.is_regular_file()
        && slurp(file.path()).find("a field of the next release") != std::string::npos)
      return true;
  return false;
}

} // namespace

TEST_CASE("nodes are upgraded and rolled back one by one, nothing is lost", "[e2e][cluster]") {
  auto plan = cluster_plan{};
  plan.runners = 2;
  plan.jobs = "{first_backoff: 100ms, second_backoff: 200ms, longest_backoff: 500ms}";
  auto cluster = test_cluster{plan};
  cluster.start();
  auto folder = temp_folder{};
  auto book = promises{folder.path() + "/promises"};
  auto work = steady_load{cluster.gateway(), book};
  auto replace = [&](node_process& node, const char* program) {
    std::this_thread::sleep_for(300ms);
    CHECK(node.stop() == 0);
    node.set_program(program);
    if (&node == &cluster.state())
      cluster.launch_state();
    else
      node.launch();
    REQUIRE(cluster.await_ready(2));
    // The mixed cluster works, and remembers what was said to another release.
    auto urgent = fake_job();
    urgent["priority"] = 10;
    auto id = cluster.gateway().submit(urgent);
    CHECK(cluster.gateway().await_job(id).at("result") == "pass");
    auto [key, job] = *work.promised().begin();
    auto again = submit_as(cluster.gateway(), key, steady_load::job_of(key));
    CHECK(again.status == 201);
    CHECK(again.document().at("job_id") == job);
  };
  CHECK_FALSE(holds_future_records(cluster.state().data()));
  for (const auto* program : {next_release, ""}) {
    replace(cluster.runner(0), program);
    replace(cluster.gateway(), program);
    replace(cluster.state(), program);
    replace(cluster.runner(1), program);
    CHECK(holds_future_records(cluster.state().data()));
  }
  work.stop();
  await_all_finished(cluster.gateway());
  auto promised = book.all();
  CHECK(promised.size() > 100);
  audit_jobs(cluster.gateway(), promised, work.keys() + 8);
}
