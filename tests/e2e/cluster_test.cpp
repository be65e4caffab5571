/// Real nodes on real TLS connections that break in every way. Source: issue texts
/// "Many nodes", spec/reliability_security.md R1, R7, R17, R18, R25.
#include "messages/time.hpp"
#include "tests/support/fault_count.hpp"
#include "tests/support/promises.hpp"
#include "tests/support/slurp.hpp"
#include "tests/support/test_cluster.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

using namespace troupe;
using namespace troupe::tests;
using namespace std::chrono_literals;

namespace {

/// Writes 100 lines every few milliseconds until it is told to stop, and how many they were.
constexpr auto writing_script = R"(#!/bin/sh
read request
echo '{"type":"stage_started","name":"write"}'
n=0
until [ -e $1/stop ]; do
  awk -v n=$n 'BEGIN {
    for (i = n; i < n + 100; ++i) text = text "line " i " of a log that nobody may tear\\n"
    print "{\"type\":\"output\",\"text\":\"" text "\"}"
  }'
  n=$((n + 100))
  sleep 0.01
done
echo $n >$1/count
echo '{"type":"stage_finished","name":"write","success":true}'
echo '{"type":"result","result":"pass"}'
)";

/// Waits until a job runs; returns its run number.
uint32_t await_running(test_cluster& cluster, const std::string& job, uint32_t least_run = 0) {
  auto run = uint32_t{0};
  auto running = await(30s, [&] {
    auto got = cluster.gateway().get("/jobs/" + job);
    if (got.status != 200)
      return false;
    auto view = got.document();
    if (view.at("state") != "running" || view.at("runs").empty())
      return false;
    run = view.at("runs").back().at("run_id").get<uint32_t>();
    return run >= least_run;
  });
  if (!running)
    FAIL("job does not run: " << cluster.logs());
  return run;
}

/// A job that takes long enough to be disturbed.
std::string submit_slow(test_cluster& cluster, const std::string& time) {
  return cluster.gateway().submit(fake_job({{"FAKE_RUN_FOR", time}, {"FAKE_OUTPUT", "said once"}}));
}

/// Reads a time of the API.
std::chrono::milliseconds time_of(const json& text) {
  auto out = parse_iso8601(text.get<std::string>());
  REQUIRE(out);
  return std::chrono::duration_cast<std::chrono::milliseconds>(out->time_since_epoch());
}

size_t passes_of(const json& job) {
  auto out = size_t{0};
  for (const auto& run : job.at("runs"))
    out += run.at("result") == "pass";
  return out;
}

} // namespace

TEST_CASE("a gateway, a state node and a runner do one job", "[e2e][cluster]") {
  auto cluster = test_cluster{};
  cluster.start();
  auto job = submit_slow(cluster, "100ms");
  auto view = cluster.gateway().await_job(job);
  CHECK(view.at("result") == "pass");
  auto log = cluster.gateway().get("/jobs/" + job + "/log");
  CHECK(log.status == 200);
  CHECK(log.body.find("said once") != std::string::npos);
  CHECK(cluster.state_of("state-1") == "up");
  CHECK(cluster.state_of("gateway-1") == "up");
  CHECK(cluster.state_of("runner-1") == "up");
  CHECK(cluster.runner().stop() == 0);
  CHECK(await(5s, [&] { return cluster.state_of("runner-1") == "left"; }));
  CHECK(cluster.gateway().stop() == 0);
  CHECK(cluster.state().stop() == 0);
}

TEST_CASE("the state node dies: gateways say so, runs go on, nothing is lost", "[e2e][cluster]") {
  auto cluster = test_cluster{};
  cluster.start();
  auto job = submit_slow(cluster, "3s");
  CHECK(await_running(cluster, job) == 0);
  cluster.state().crash();
  CHECK(await(10s, [&] { return cluster.gateway().get("/healthz/ready").status == 503; }));
  CHECK(cluster.gateway().get("/healthz/live").status == 200);
  CHECK(cluster.gateway().post("/jobs", json_text(fake_job())).status == 503);
  cluster.launch_state();
  REQUIRE(cluster.await_ready(1));
  auto view = cluster.gateway().await_job(job);
  CHECK(view.at("result") == "pass");
  CHECK(view.at("runs").size() == 1); // the run's result was held, or its lease went on
}

TEST_CASE("the state node dies while a log is written: no byte is lost or doubled",
          "[e2e][cluster]") {
  auto folder = temp_folder{};
  auto script = folder.path() + "/runner";
  std::ofstream{script} << writing_script;
  std::filesystem::permissions(script, std::filesystem::perms::owner_all);
  auto plan = cluster_plan{};
  plan.runner =
    "driver: exec\n        slots: 1\n        exec: {argv: [" + script + ", " + folder.path() + "]}";
  auto cluster = test_cluster{plan};
  cluster.start();
  auto request = fake_job();
  request["runner_type"] = "exec";
  auto job = cluster.gateway().submit(request);
  auto log = std::string{};
  auto grows = [&] {
    auto before = log.size();
    return await(60s, [&] {
      auto got = cluster.gateway().get("/jobs/" + job + "/log?stage=write");
      if (got.status == 200)
        log = got.body;
      return got.status == 200 && log.size() > before + 10'000;
    });
  };
  auto written = true;
  for (auto round = 0; round < 3 && written; ++round) {
    written = grows();
    cluster.state().crash();
    cluster.launch_state();
  }
  written = written && grows();
  std::ofstream{folder.path() + "/stop"} << "now";
  INFO(cluster.logs());
  REQUIRE(written);
  auto view = cluster.gateway().await_job(job);
  CHECK(view.at("result") == "pass");
  CHECK(view.at("runs").size() == 1);
  log = cluster.gateway().get("/jobs/" + job + "/log?stage=write").body;
  auto lines = std::istringstream{log};
  auto count = 0;
  for (auto line = std::string{}; std::getline(lines, line); ++count)
    REQUIRE(line == "line " + std::to_string(count) + " of a log that nobody may tear");
  CHECK(count % 100 == 0);
  CHECK(std::to_string(count) + '\n' == slurp(folder.path() + "/count"));
}

TEST_CASE("a cut of a runner's connection aborts nothing", "[e2e][cluster]") {
  auto cluster = test_cluster{};
  cluster.start();
  auto how = GENERATE(gate_cut::reset, gate_cut::finish);
  auto job = submit_slow(cluster, "2s");
  await_running(cluster, job);
  cluster.runner_wire().cut(how);
  std::this_thread::sleep_for(100ms);
  cluster.runner_wire().pass();
  auto view = cluster.gateway().await_job(job);
  CHECK(view.at("result") == "pass");
  CHECK(view.at("runs").size() == 1);
  CHECK(cluster.runner_wire().counts().cut > 0);
}

TEST_CASE("a connection that is half open is noticed by both sides", "[e2e][cluster]") {
  auto cluster = test_cluster{};
  cluster.start();
  auto job = submit_slow(cluster, "3s");
  await_running(cluster, job);
  // Nothing says that it is over: no byte passes, none is refused.
  cluster.runner_wire().freeze(gate_way::both);
  CHECK(await(20s, [&] { return cluster.state_of("runner-1") == "lost"; }));
  CHECK(
    await(20s, [&] { return cluster.runner().log().find("link is down") != std::string::npos; }));
  cluster.runner_wire().pass();
  CHECK(await(20s, [&] { return cluster.state_of("runner-1") == "up"; }));
  auto view = cluster.gateway().await_job(job);
  CHECK(view.at("result") == "pass");
  CHECK(view.at("runs").size() == 1);
}

TEST_CASE("a runner that is killed and comes back: its run is pending at once", "[e2e][cluster]") {
  // A lease of ten minutes: only the new boot id can end the run within the test.
  auto plan = cluster_plan{};
  plan.jobs = "{lease: 10m}";
  auto cluster = test_cluster{plan};
  cluster.start();
  auto longest = 0ms;
  for (auto round = fault_count(1, 20); round > 0; --round) {
    auto job = submit_slow(cluster, "2s");
    await_running(cluster, job);
    cluster.runner().crash();
    CHECK(await(10s, [&] { return cluster.state_of("runner-1") == "lost"; }));
    cluster.runner().launch();
    auto view = cluster.gateway().await_job(job);
    CHECK(view.at("result") == "pass");
    REQUIRE(view.at("runs").size() == 2);
    CHECK(view.at("runs")[0].at("reason") == "claim-expired");
    CHECK(passes_of(view) == 1);
    longest = std::max(longest, time_of(view.at("runs")[0].at("finished_at"))
                                  - time_of(cluster.node("runner-1").at("since")));
  }
  // Both times are of the state node's clock: when the runner was back, when its run was given up.
  WARN("pending again at most " << longest.count() << " ms after its runner was back");
  if (std::getenv("TROUPE_LONG") != nullptr)
    CHECK(longest < 2s);
}

TEST_CASE("a runner's name is its node's: another node takes none of its runs", "[e2e][cluster]") {
  auto plan = cluster_plan{};
  plan.runners = 2;
  plan.runner = "driver: fake\n        slots: 1\n        name: builder";
  auto cluster = test_cluster{plan};
  cluster.runner(0).launch();
  cluster.gateway().launch();
  cluster.launch_state();
  REQUIRE(cluster.await_ready(1));
  auto job = submit_slow(cluster, "3s");
  await_running(cluster, job);
  auto refused = [&] {
    return cluster.runner(1).log().find("is the name of a runner on node runner-1")
           != std::string::npos;
  };
  cluster.runner(1).launch();
  CHECK(await(20s, refused));
  cluster.state().crash(); // the next ledger knows whose run it is
  cluster.launch_state();
  REQUIRE(cluster.await_ready(1));
  auto view = cluster.gateway().await_job(job);
  CHECK(view.at("result") == "pass");
  CHECK(view.at("runs").size() == 1);
  // The same node started again is let in at once.
  job = submit_slow(cluster, "2s");
  await_running(cluster, job);
  cluster.runner(0).crash();
  cluster.runner(0).launch();
  view = cluster.gateway().await_job(job);
  CHECK(view.at("result") == "pass");
  CHECK(view.at("runs").size() == 2);
}

TEST_CASE("a frozen runner loses its lease; its late result is refused", "[e2e][cluster]") {
  auto plan = cluster_plan{};
  plan.runners = 2;
  plan.jobs = "{lease: 3s, first_backoff: 100ms}";
  auto cluster = test_cluster{plan};
  cluster.start();
  auto job = submit_slow(cluster, "1500ms");
  await_running(cluster, job);
  auto first = cluster.gateway().job(job).at("runs")[0].at("runner").get<std::string>();
  auto frozen = first.find("runner-1") == 0 ? size_t{0} : size_t{1};
  cluster.runner(frozen).process().signal(SIGSTOP);
  auto view = cluster.gateway().await_job(job);
  cluster.runner(frozen).process().signal(SIGCONT);
  CHECK(view.at("result") == "pass");
  REQUIRE(view.at("runs").size() == 2);
  CHECK(view.at("runs")[1].at("runner") != first);
  // The zombie comes back; what it still had to say changes nothing.
  CHECK(
    await(20s, [&] { return cluster.state_of("runner-" + std::to_string(frozen + 1)) == "up"; }));
  CHECK(cluster.await_ready(2));
  view = cluster.gateway().job(job);
  CHECK(passes_of(view) == 1);
  CHECK(view.at("runs").size() == 2);
}

TEST_CASE("the state node freezes: the leases of living runners survive it", "[e2e][cluster]") {
  auto plan = cluster_plan{};
  plan.jobs = "{lease: 3s}";
  plan.limits = "lost_after: 1s\n  longest_backoff: 500ms";
  auto cluster = test_cluster{plan};
  cluster.start();
  auto job = submit_slow(cluster, "2s");
  await_running(cluster, job);
  cluster.state().process().signal(SIGSTOP);
  std::this_thread::sleep_for(6s); // two leases
  cluster.state().process().signal(SIGCONT);
  REQUIRE(cluster.await_ready(1));
  auto view = cluster.gateway().await_job(job);
  CHECK(view.at("result") == "pass");
  CHECK(view.at("runs").size() == 1);
}

TEST_CASE("bytes that come in pieces or late change nothing", "[e2e][cluster]") {
  auto cluster = test_cluster{};
  cluster.start();
  cluster.runner_wire().split(3);
  cluster.gateway_wire().delay(50ms);
  auto jobs = std::vector<std::string>{};
  for (auto i = 0; i < 5; ++i)
    jobs.push_back(submit_slow(cluster, "50ms"));
  for (const auto& job : jobs)
    CHECK(cluster.gateway().await_job(job).at("runs").size() == 1);
}

TEST_CASE("flipped bits end the connection, not the nodes", "[e2e][cluster]") {
  auto cluster = test_cluster{};
  cluster.start();
  auto job = submit_slow(cluster, "2s");
  await_running(cluster, job);
  cluster.runner_wire().corrupt(gate_way::both, 20, 2000);
  CHECK(await(20s, [&] { return cluster.runner_wire().counts().flipped_bits > 0; }));
  cluster.runner_wire().pass();
  auto view = cluster.gateway().await_job(job);
  CHECK(view.at("result") == "pass");
  CHECK(view.at("runs").size() == 1);
  CHECK(cluster.await_ready(1));
}

TEST_CASE("a gateway with a history of its own answers from it", "[e2e][cluster]") {
  auto plan = cluster_plan{};
  plan.gateway = "history: {}";
  auto cluster = test_cluster{plan};
  cluster.start();
  auto ids = std::vector<std::string>{};
  for (auto i = 0; i < 20; ++i) {
    ids.push_back(submit_slow(cluster, "5ms"));
    CHECK(cluster.gateway().get("/jobs/" + ids.back()).status == 200); // what was accepted is seen
  }
  for (const auto& id : ids)
    CHECK(cluster.gateway().await_job(id).at("result") == "pass");
  auto before = all_jobs(cluster.gateway());
  CHECK(before.size() == ids.size());
  cluster.gateway().crash();
  cluster.gateway().launch();
  REQUIRE(cluster.await_ready(1));
  CHECK(all_jobs(cluster.gateway()) == before);
  // The wire breaks while it waits for events; it goes on where it was.
  cluster.gateway_wire().cut(gate_cut::reset);
  REQUIRE(cluster.await_ready(1));
  auto last = submit_slow(cluster, "5ms");
  CHECK(cluster.gateway().await_job(last).at("result") == "pass");
}
