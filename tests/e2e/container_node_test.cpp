/// The whole way with a real container engine: HTTP in, verdict and logs out.
/// Source: spec/testing.md 6.2, numbers 1, 3, 6, 7, 8.
#include "tests/support/node_process.hpp"
#include "tests/support/private_engine.hpp"

#include <catch2/catch.hpp>

using namespace troupe;
using namespace troupe::tests;
using namespace std::chrono_literals;

namespace {

std::string roles(const std::string& runner) {
  return R"(
  journal: {}
  jobs:
    first_backoff: 200ms
    second_backoff: 500ms
  artifacts: {}
  tests:
    runners:
      docker:
        name: )"
         + runner + R"(
        slots: 1
        docker: {socket: )"
         + private_engine::shared().socket() + R"(}
  http: {port: 0}
)";
}

json hello() {
  return {{"runner_type", "docker"},
          {"dist_name", "debian"},
          {"dist_version", "12"},
          {"dist_arch", "x86_64"},
          {"package_name", "hello"}};
}

/// A job whose third-party script waits for a minute.
json slow_hello() {
  auto out = hello();
  out["tests"] = {{{"name", "slow"}, {"script", "#!/bin/sh\necho begun\nsleep 60\n"}}};
  return out;
}

/// Returns the ids of containers of one job, dead or alive.
std::string containers_of(const std::string& job) {
  auto ps = run_process({"podman", "ps", "-a", "-q", "--filter", "label=troupe.job=" + job});
  INFO(ps.output);
  CHECK(ps.exit_code == 0);
  return ps.output;
}

bool in_stage(const node_process& node, const std::string& job, const std::string& stage) {
  auto now = node.job(job);
  if (now.at("runs").empty())
    return false;
  for (const auto& step : now.at("runs").back().at("stages"))
    if (step.at("name") == stage && !step.at("finished").get<bool>())
      return true;
  return false;
}

} // namespace

TEST_CASE("a package is tested over HTTP in a real container", "[e2e][testing]") {
  auto node = node_process{roles(unique_runner())};
  node.start();
  auto id = node.submit(hello());
  auto job = node.await_job(id, 300s);
  INFO(job.dump(1));
  CHECK(job.at("result") == "pass");
  auto log = node.get("/jobs/" + id + "/log?stage=install_package");
  CHECK(log.status == 200);
  CHECK(log.body.find("Setting up hello") != std::string::npos);
  auto junit = node.get("/jobs/" + id + "/junit.xml");
  CHECK(junit.status == 200);
  CHECK(junit.body.find("<testsuite") != std::string::npos);
  auto task = node.get("/tasks/" + id + "/result").document();
  CHECK(task.at("state") == "SUCCESS");
  CHECK(task.at("result").at("install_package").at("success") == true);
  CHECK(task.at("result").at("tests").at("package_integrity_tests").at("success") == true);
  CHECK(containers_of(id).empty());
  CHECK(node.stop() == 0);
}

TEST_CASE("an unknown package fails to install; a bad name is refused and starts nothing",
          "[e2e][testing]") {
  auto node = node_process{roles(unique_runner())};
  node.start();
  auto unknown = hello();
  unknown["package_name"] = "troupe-no-such-package";
  auto job = node.await_job(node.submit(unknown), 300s);
  CHECK(job.at("result") == "fail");
  CHECK(job.at("reason") == "install-failed");
  CHECK(job.dump().find("\"exit_code\":100") != std::string::npos);

  auto bad = hello();
  bad["package_name"] = "a;b";
  auto refused = node.post("/tasks/schedule", json_text(bad));
  CHECK(refused.status == 422);
  CHECK(refused.body.find("package_name") != std::string::npos);
  CHECK(node.get("/jobs?subject=a%3Bb").document().at("jobs").empty());
}

TEST_CASE("a running job is canceled at once and leaves no container", "[e2e][testing]") {
  auto node = node_process{roles(unique_runner())};
  node.start();
  auto running = node.submit(slow_hello());
  auto waiting = node.submit(hello());
  REQUIRE(await(300s, [&] { return in_stage(node, running, "third_party.slow"); }));
  CHECK(node.post("/jobs/" + waiting + "/cancel", "").status == 200);
  CHECK(node.post("/jobs/" + running + "/cancel", "").status == 200);
  CHECK(node.post("/jobs/" + running + "/cancel", "").status == 200);
  auto job = node.await_job(running, 30s);
  CHECK(job.at("result") == "canceled");
  CHECK(node.await_job(waiting, 30s).at("result") == "canceled");
  CHECK(node.job(waiting).at("runs").empty());
  CHECK(await(30s, [&] { return containers_of(running).empty(); }));
}

TEST_CASE("a job whose node is killed in mid-stage finishes once, and no container is left",
          "[e2e][testing][kill]") {
  auto node = node_process{roles(unique_runner())};
  node.start();
  auto quick = hello();
  quick["tests"] = {{{"name", "slow"}, {"script", "#!/bin/sh\nsleep 5\n"}}};
  auto id = node.submit(quick);
  REQUIRE(await(300s, [&] { return in_stage(node, id, "third_party.slow"); }));
  CHECK_FALSE(containers_of(id).empty());
  node.crash();
  node.start();
  auto job = node.await_job(id, 300s);
  INFO(job.dump(1));
  CHECK(job.at("result") == "pass");
  REQUIRE(job.at("runs").size() == 2);
  CHECK(job.at("runs")[0].at("reason") == "claim-expired");
  CHECK(await(60s, [&] { return containers_of(id).empty(); }));
}

TEST_CASE("while the engine is down the runner is broken and claims nothing", "[e2e][testing]") {
  auto runner = unique_runner();
  auto engine = private_engine{};
  auto with_own_engine = roles(runner);
  auto shared = private_engine::shared().socket();
  with_own_engine.replace(with_own_engine.find(shared), shared.size(), engine.socket());
  auto node = node_process{with_own_engine};
  node.start();
  auto broken = [&] {
    auto document = node.get("/runners").document();
    for (const auto& it : document.at("runners"))
      if (it.at("runner") == runner)
        return !it.at("broken").get<std::string>().empty();
    return false;
  };
  REQUIRE(await(30s, [&] { return !broken(); }));
  auto hit = node.submit(slow_hello());
  REQUIRE(await(300s, [&] { return in_stage(node, hit, "third_party.slow"); }));
  engine.stop();
  if (!await(60s, broken))
    FAIL(node.get("/runners").body << '\n' << node.log());
  auto later = node.submit(hello());
  CHECK(node.job(later).at("state") == "queued");
  CHECK(node.job(later).at("runs").empty());
  node.post("/jobs/" + hit + "/cancel", "");
  engine.start();
  CHECK(node.await_job(later, 300s).at("result") == "pass");
  CHECK(await(90s, [&] { return containers_of(hit).empty(); }));
}
