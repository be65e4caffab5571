/// The main job of the project over three nodes: HTTP in at the gateway, a real
/// container on the runner's host, logs through the state node, all over TLS.
#include "tests/support/private_engine.hpp"
#include "tests/support/test_cluster.hpp"

#include <catch2/catch.hpp>

using namespace troupe;
using namespace troupe::tests;
using namespace std::chrono_literals;

TEST_CASE("a package is tested in a real container of another node", "[e2e][cluster]") {
  auto plan = cluster_plan{};
  plan.runner = "driver: docker\n        name: " + unique_runner()
                + "\n        slots: 1\n        docker: {socket: " + private_engine::shared().socket()
                + "}";
  auto cluster = test_cluster{plan};
  cluster.start();
  auto id = cluster.gateway().submit({{"runner_type", "docker"},
                                      {"dist_name", "debian"},
                                      {"dist_version", "12"},
                                      {"dist_arch", "x86_64"},
                                      {"package_name", "hello"}});
  auto job = cluster.gateway().await_job(id, 300s);
  INFO(job.dump(1));
  CHECK(job.at("result") == "pass");
  CHECK(job.at("runs").size() == 1);
  auto log = cluster.gateway().get("/jobs/" + id + "/log?stage=install_package");
  CHECK(log.status == 200);
  CHECK(log.body.find("Setting up hello") != std::string::npos);
}
