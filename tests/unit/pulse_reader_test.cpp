/// Messages of Taskcluster become signs of machines. Source: spec/machines.md 2.5, 2.9.
#include "bridges/amqp/pulse_feed.hpp"
#include "tests/support/pulse_messages.hpp"

#include <catch2/catch.hpp>

#include <set>

using namespace troupe;
using namespace troupe::tests;

namespace {

json message(const std::string& kind, const json& change = json::object()) {
  auto run = json{{"runId", 0},
                  {"state", kind == "exception" ? "exception" : kind},
                  {"reasonCreated", "scheduled"},
                  {"workerGroup", "mdc1"},
                  {"workerId", "t-linux64-ms-100"},
                  {"takenUntil", "2018-11-08T09:07:50.000Z"},
                  {"scheduled", "2018-11-08T08:40:01.120Z"},
                  {"started", "2018-11-08T08:47:50.812Z"}};
  if (kind != "running") {
    run["resolved"] = "2018-11-08T09:01:12.003Z";
    run["reasonResolved"] = kind == "exception" ? "claim-expired" : kind;
  }
  auto out = json{{"version", 1},
                  {"status",
                   {{"taskId", "oYPA3sqfSUqWjmoifiVNXw"},
                    {"provisionerId", "releng-hardware"},
                    {"workerType", "gecko-t-linux-talos"},
                    {"schedulerId", "gecko-level-3"},
                    {"taskGroupId", "tb3abxFZSaK2deLv_ZH3CA"},
                    {"deadline", "2018-11-09T08:00:00.000Z"},
                    {"expires", "2019-11-08T08:00:00.000Z"},
                    {"retriesLeft", 5},
                    {"state", kind},
                    {"runs", {run}}}},
                  {"runId", 0},
                  {"workerGroup", "mdc1"},
                  {"workerId", "t-linux64-ms-100"}};
  out.merge_patch(change);
  return out;
}

caf::expected<pulse_news> read(const std::string& kind, const std::string& body) {
  static const auto feed = pulse_feed{"hardware", 0, {"releng-hardware"}, {}};
  auto in = inbound_message{};
  in.exchange = "exchange/taskcluster-queue/v1/" + kind;
  in.body = body;
  return read_pulse(feed, in);
}

pulse_news good(const std::string& kind, const json& body) {
  auto out = read(kind, body.dump());
  if (!out)
    FAIL(one_line(out.error()));
  return *out;
}

std::string fault_of(const std::string& kind, const std::string& body) {
  auto out = read(kind, body);
  REQUIRE_FALSE(out);
  CHECK(explain(out.error()).code == ec::invalid_argument);
  return one_line(out.error());
}

caf::timestamp at(const char* text) {
  return *parse_machine_time(text);
}

} // namespace

TEST_CASE("a task message says when and what of which machine") {
  auto running = good("task-running", message("running"));
  CHECK(running.ignored.empty());
  CHECK(running.what.machine == "mdc1:t-linux64-ms-100");
  CHECK(running.what.kind == machine_sign::running);
  CHECK(running.what.at == at("2018-11-08T08:47:50.812Z"));
  CHECK(running.what.taken_until == at("2018-11-08T09:07:50.000Z"));
  CHECK(running.what.deadline == at("2018-11-09T08:00:00.000Z"));
  CHECK(running.what.task == "oYPA3sqfSUqWjmoifiVNXw");
  CHECK(running.what.worker_type == "gecko-t-linux-talos");
  CHECK(running.what.source == "hardware");
  for (const auto* kind : {"completed", "failed"}) {
    auto ended = good(std::string{"task-"} + kind, message(kind));
    CHECK(name_of(ended.what.kind) == kind);
    CHECK(ended.what.at == at("2018-11-08T09:01:12.003Z"));
    CHECK(ended.what.reason == kind);
  }
}

TEST_CASE("the run of the message counts, not the last one") {
  auto body = message("exception");
  body["status"]["state"] = "pending";
  body["status"]["runs"].push_back(
    {{"runId", 1}, {"state", "pending"}, {"scheduled", "2018-11-08T09:07:58.400Z"}});
  auto dead = good("task-exception", body);
  CHECK(dead.what.reason == "claim-expired");
  CHECK(dead.what.state == "exception");
  CHECK(dead.what.run == 0);
}

TEST_CASE("a machine that the message does not name stands in its runs") {
  auto body = message("exception", {{"workerGroup", nullptr}, {"workerId", nullptr}});
  auto found = good("task-exception", body);
  CHECK(found.recovered);
  CHECK(found.what.machine == "mdc1:t-linux64-ms-100");
  SECTION("a run that nobody claimed says nothing") {
    body["status"]["runs"][0].erase("workerGroup");
    CHECK(good("task-exception", body).ignored == "unclaimed");
    body["status"]["runs"] = json::array();
    body.erase("runId");
    CHECK(good("task-exception", body).ignored == "unclaimed");
  }
}

TEST_CASE("what is not ours or not known is left out") {
  auto other = message("running", {{"status", {{"provisionerId", "aws-provisioner"}}}});
  CHECK(good("task-running", other).ignored == "provisioner");
  CHECK(good("task-defined", message("running")).ignored == "exchange");
  CHECK(good("heartbeat", json{{"payload", {{"when", "now"}}}}).ignored == "exchange");
  auto feed = pulse_feed{"hardware", 0, {"releng-hardware"}, {"gecko-t-osx-1010"}};
  auto in = inbound_message{};
  in.exchange = "task-running";
  in.body = message("running").dump();
  CHECK(read_pulse(feed, in)->ignored == "worker_type");
}

TEST_CASE("more than the schemas know is accepted") {
  auto body = message("exception", {{"future", {1, 2, {{"deep", true}}}}});
  body["status"]["runs"][0]["reasonResolved"] = "brand-new-reason-" + std::string(300, 'x');
  body["status"]["deadline"] = "3026-01-01T00:00:00Z";
  auto got = good("task-exception", body);
  CHECK(got.what.reason.size() == machine_word_size);
  CHECK(got.what.deadline == far_future);
}

TEST_CASE("what is wrong is told with its place") {
  using Catch::Contains;
  CHECK_THAT(fault_of("task-running", "{\"version\":1,"), Contains("byte 13"));
  CHECK_THAT(fault_of("task-running", "[]"), Contains("must be an object"));
  CHECK_THAT(fault_of("task-running", "{}"), Contains("status: is required"));
  CHECK_THAT(fault_of("task-running", "\xff"), Contains("byte 0"));
  CHECK_THAT(fault_of("task-running", std::string(100'000, '[')), Contains("byte"));
  auto bad = [&](const char* path, const json& value) {
    auto body = message("completed");
    body[json::json_pointer{path}] = value;
    return fault_of("task-completed", body.dump());
  };
  CHECK_THAT(bad("/status/runs/0/resolved", "yesterday"), Contains("status.runs[0].resolved"));
  CHECK_THAT(bad("/status/runs/0/resolved", "1970-01-01T00:00:00Z"), Contains("after 1970"));
  auto timeless = message("completed");
  for (auto name : {"resolved", "started", "scheduled"})
    timeless["status"]["runs"][0].erase(name);
  CHECK_THAT(fault_of("task-completed", timeless.dump()),
             Contains("status.runs[0].scheduled: is required"));
  CHECK_THAT(bad("/status/taskId", 5), Contains("status.taskId: must be text"));
  CHECK_THAT(bad("/status/runs", "no"), Contains("status.runs: must be a list"));
  CHECK_THAT(bad("/runId", -1), Contains("runId: must be a whole number"));
  CHECK_THAT(bad("/runId", 3), Contains("status.runs: the run of the message is not there"));
  CHECK_THAT(bad("/workerId", "a:b"), Contains("workerGroup"));
  CHECK_THAT(bad("/workerId", std::string(200, 'x')), Contains("workerGroup"));
  CHECK_THAT(bad("/workerGroup", ""), Contains("workerGroup: is required"));
}

TEST_CASE("the worker manager tells of workers, too") {
  auto body = json{{"workerPoolId", "releng-hardware/gecko-t-linux-talos"},
                   {"providerId", "static"},
                   {"workerId", "t-linux64-ms-100"},
                   {"workerGroup", "mdc1"},
                   {"capacity", 1},
                   {"reason", "workerManager.removeWorker API call"},
                   {"timestamp", "2026-08-21T09:00:00.000Z"}};
  auto got = good("worker-removed", body);
  CHECK(got.what.kind == machine_sign::worker_removed);
  CHECK(got.what.worker_type == "gecko-t-linux-talos");
  CHECK(got.what.pool == "static");
  CHECK(got.what.at == at("2026-08-21T09:00:00.000Z"));
  body.erase("workerId");
  CHECK(good("worker-pool-error", body).ignored == "no_worker");
  body["workerPoolId"] = "elsewhere/x";
  CHECK(good("worker-running", body).ignored == "provisioner");
  body["workerPoolId"] = "nothing";
  CHECK_THAT(fault_of("worker-running", body.dump()), Catch::Contains("workerPoolId"));
}

TEST_CASE("everything that the schemas allow is read") {
  auto kinds = std::set<machine_sign>{};
  for (const auto& x : pulse_script::one_of_each()) {
    INFO(x.body.dump());
    kinds.insert(good(std::string{pulse_kind(x.exchange)}, x.body).what.kind);
    // The pattern that a queue is bound with is that of real keys: 10 words and 8.
    auto words = std::count(x.routing_key.begin(), x.routing_key.end(), '.');
    CHECK(words == (x.body.contains("status") ? 9 : 7));
  }
  CHECK(kinds.size() == 9);
}
