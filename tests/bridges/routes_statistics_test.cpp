#include "route_world.hpp"

using namespace troupe;
using namespace troupe::tests;

namespace {

/// Whether a line of the text format begins with `start`; its value goes to `value`.
bool has_line(const std::string& text, const std::string& start, double* value = nullptr) {
  auto at = text.rfind('\n' + start);
  if (at == std::string::npos)
    return false;
  if (value)
    *value = std::stod(text.substr(at + 1 + start.size()));
  return true;
}

double value_of(const std::string& text, const std::string& name) {
  auto out = -1.0;
  has_line(text, name + ' ', &out);
  return out;
}

} // namespace

TEST_CASE_METHOD(route_world, "statistics are answered to readers in the pipeline's words") {
  CHECK(call("GET", "/statistics").status == 401);
  auto got = call("GET", "/statistics", "read:ann");
  REQUIRE(got.status == 200);
  auto doc = body_of(got);
  CHECK(doc["generated"] == 1);
  CHECK(doc["distributed"] == 3);
  CHECK(doc["in_progress"] == 0);
  CHECK(doc["spend"]["p99_s"] == 0.0);
  CHECK(doc["processors"]["5b1e"]["processed"] == 3);
  CHECK(doc["packages"].contains("asked for 100"));
  auto few = body_of(call("GET", "/statistics?packages=5", "read:ann"));
  CHECK(few["packages"].contains("asked for 5"));
  CHECK(call("GET", "/statistics?packages=5000", "read:ann").status == 422);
}

TEST_CASE_METHOD(route_world, "an object's progress is found by its number only") {
  auto got = call("GET", "/statistics/objects/837", "read:ann");
  REQUIRE(got.status == 200);
  CHECK(body_of(got)["tasks_total"] == 3);
  CHECK(call("GET", "/statistics/objects/838", "read:ann").status == 404);
  CHECK(call("GET", "/statistics/objects/-1", "read:ann").status == 404);
  CHECK(call("GET", "/statistics/objects/x", "read:ann").status == 404);
  auto page = body_of(call("GET", "/statistics/objects?cursor=3&limit=2", "read:ann"));
  CHECK(page["objects"].size() == 2);
  CHECK(page["next"] == "37");
}

TEST_CASE_METHOD(route_world, "without its role statistics are unavailable") {
  remove_roles();
  auto got = call("GET", "/statistics", "read:ann");
  CHECK(got.status == 503);
  CHECK(header_of(got, "Retry-After") != "");
}

TEST_CASE_METHOD(route_world, "metrics tell what the roles say") {
  options.figures = [] {
    auto out = node_figures{};
    out.version = "1.2.3";
    out.disk_bytes = 1000;
    out.disk_free_bytes = 50;
    return out;
  };
  call("GET", "/jobs", "read:ann");
  call("GET", "/jobs", "read:ann");
  call("BREW", "/no/such/place/" + std::string(50, 'x'));
  auto got = call("GET", "/metrics", "read:prometheus");
  REQUIRE(got.status == 200);
  CHECK(got.content_type == "text/plain; version=0.0.4; charset=utf-8");
  const auto& text = got.body;
  CHECK(value_of(text, R"(troupe_build_info{version="1.2.3",commit="unknown"})") == 1);
  CHECK(value_of(text, R"(http_requests_total{route="/jobs",method="GET",code="200"})") == 2);
  CHECK(value_of(text, R"(http_requests_total{route="none",method="other",code="404"})") == 1);
  CHECK(value_of(text, R"(http_request_duration_seconds_count{route="/jobs"})") == 2);
  CHECK(value_of(text, R"(troupe_jobs{state="queued",runner="docker",arch="x86_64"})") == 8);
  CHECK(value_of(text, R"(troupe_jobs_total{kind="process",result="pass"})") == 3);
  CHECK(value_of(text, "troupe_leases_expired_total") == 2);
  CHECK(value_of(text, R"(troupe_job_run_seconds_bucket{kind="process",le="5"})") == 3);
  CHECK(value_of(text, R"(troupe_job_run_seconds_sum{kind="process"})") == 6);
  CHECK(value_of(text, R"(troupe_events_total{type="job.queued"})") == 3);
  CHECK(value_of(text, "troupe_inbox_duplicates_total") == 5);
  CHECK(value_of(text, R"(troupe_amqp_connected{link="publish"})") == 1);
  CHECK(value_of(text, R"(troupe_amqp_blocked{link="publish"})") == 1);
  CHECK(value_of(text, R"(troupe_amqp_reconnects_total{link="publish"})") == 2);
  CHECK(value_of(text, "troupe_outbox_depth") == 10);
  CHECK(value_of(text, "troupe_outbox_oldest_seconds") >= 90);
  CHECK(value_of(text, R"(troupe_dlq_depth{queue="processor_dead"})") == 4);
  CHECK(value_of(text, "troupe_disk_free_bytes") == 50);
  CHECK(value_of(text, "process_resident_memory_bytes") > 1e6);
  CHECK(value_of(text, "process_open_fds") > 2);
  CHECK(value_of(text, "process_start_time_seconds") > 1e9);
  CHECK(text.find("celery_") == std::string::npos);
}

TEST_CASE_METHOD(route_world, "a Celery exporter's names come when asked for") {
  options.metrics.celery_names = true;
  auto text = call("GET", "/metrics", "read:prometheus").body;
  CHECK(has_line(text, R"(celery_tasks_total{state="SUCCESS",queue="ebs \"a\"\n"} 3)"));
  CHECK(value_of(text, R"(celery_task_runtime_seconds_count{task="process"})") == 3);
}

TEST_CASE_METHOD(route_world, "metrics come without the roles that are absent or silent") {
  told->broker_silent = true;
  auto got = call("GET", "/metrics", "read:prometheus");
  REQUIRE(got.status == 200);
  CHECK(value_of(got.body, R"(troupe_role_up{role="amqp"})") == 0);
  CHECK(value_of(got.body, R"(troupe_role_up{role="journal"})") == 1);
  CHECK_FALSE(has_line(got.body, "troupe_amqp_connected"));
  remove_roles();
  auto alone = call("GET", "/metrics", "read:prometheus");
  REQUIRE(alone.status == 200);
  CHECK(value_of(alone.body, R"(troupe_role_up{role="journal"})") == 0);
  CHECK(value_of(alone.body, "process_open_fds") > 2);
}

TEST_CASE_METHOD(route_world, "who may read metrics is configured") {
  options.metrics.access =
    GENERATE(metrics_access::token, metrics_access::loopback, metrics_access::open);
  auto answer_to = [&](const std::string& remote) {
    auto in = request("GET", "/metrics");
    in.remote = remote;
    return routes().handle(in).status;
  };
  CHECK(answer_to("127.0.0.1") == (options.metrics.access == metrics_access::token ? 401 : 200));
  CHECK(answer_to("10.0.0.7") == (options.metrics.access == metrics_access::open ? 200 : 401));
}
