/// What Prometheus sees of a real node, and the alert rules that come with it.
#include "tests/support/job_audit.hpp"

#include <catch2/catch.hpp>

#include <fstream>

using namespace troupe;
using namespace troupe::tests;

namespace {

const auto* const open_roles = R"(
  journal: {}
  jobs: {}
  statistics: {}
  artifacts: {}
  tests:
    runners:
      fake:
        driver: fake
  http:
    port: 0
    metrics: {access: loopback, celery_names: true}
)";

} // namespace

TEST_CASE("promtool finds nothing wrong with a scrape", "[e2e][statistics]") {
  auto node = node_process{open_roles};
  node.start();
  node.await_job(node.submit(fake_job()));
  CHECK(node.get("/statistics").status == 200); // so that all of it is counted
  auto got = node.request("GET", "/metrics", "", {}, false);
  REQUIRE(got.status == 200);
  for (const auto* name :
       {"troupe_build_info{version=", "troupe_jobs_total{kind=\"test\",result=\"pass\"} 1",
        "troupe_job_run_seconds_count{kind=\"test\"} 1", "troupe_store_bytes ", "commit=\"",
        "troupe_canary_seconds ", "troupe_sse_connections 0",
        "troupe_store_write_seconds_count{sync=\"true\"} ",
        "troupe_store_write_seconds_bucket{sync=\"false\",le=\"0.001\"} ",
        "troupe_disk_free_bytes ", "troupe_config_last_reload_successful 1",
        "troupe_event_lag_seconds ", "process_cpu_seconds_total ",
        "http_requests_total{route=\"/statistics\",method=\"GET\",code=\"200\"} 1",
        "celery_tasks_total{state=\"SUCCESS\","}) {
    INFO(name);
    CHECK(got.body.find(name) != std::string::npos);
  }
  auto folder = temp_folder{};
  auto file = folder.path() + "/scrape.txt";
  std::ofstream{file} << got.body;
  auto checked = run_process({"/bin/sh", "-c", "exec /usr/bin/promtool check metrics < " + file});
  INFO(checked.output);
  CHECK(checked.exit_code == 0);
  CHECK(checked.output.empty());
  CHECK(node.stop() == 0);
}

TEST_CASE("the alert rules fire when they must and not before", "[e2e][statistics]") {
  auto rules = std::string{TROUPE_SOURCE_DIR} + "/nodes/deploy/prometheus/";
  auto checked = run_process({"/usr/bin/promtool", "check", "rules", rules + "alerts.yaml"});
  INFO(checked.output);
  CHECK(checked.exit_code == 0);
  auto tested = run_process({"/usr/bin/promtool", "test", "rules", rules + "alerts_test.yaml"});
  INFO(tested.output);
  CHECK(tested.exit_code == 0);
}
