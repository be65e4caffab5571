/// The messages of EBS: the bodies that go out, and what of them is taken in.
#include "bridges/amqp/inbound_handler.hpp"
#include "bridges/amqp/outbound_rule.hpp"
#include "messages/job_events.hpp"
#include "messages/json.hpp"
#include "messages/object.hpp"
#include "messages/time.hpp"

#include <catch2/catch.hpp>

using namespace troupe;
using namespace std::chrono_literals;

namespace {

constexpr auto at = caf::timestamp{1'763'632'800s + 123456us}; // 2025-11-20T10:00:00.123456Z

template <record T>
std::vector<publication> publish(const T& x) {
  auto stored = stored_event{42, 1, at, make_event(x, at)};
  auto out = make_ebs_messages(stored, {"j1", "", ""});
  REQUIRE(out);
  return *out;
}

json body_of(const publication& x) {
  auto out = parse_json_text(x.body);
  REQUIRE(out);
  return *out;
}

const auto task = parse_job_id("0191d0a0-0000-7000-8000-000000000001").value();
constexpr auto wire_id = "0191d0a0000070008000000000000001";

run_finished finished(verdict result, reason why, bool final) {
  auto out = run_finished{};
  out.job = task;
  out.run_id = 1;
  out.result = result;
  out.why = why;
  out.final = final;
  out.kind = process_kind;
  out.queue = "process";
  out.subject = "837";
  out.runner = "5b1e";
  out.started_at = at - 4s;
  return out;
}

job_queued queued(process_spec spec) {
  auto out = job_queued{};
  out.job = task;
  out.what.kind = process_kind;
  out.what.subject = to_subject({spec.what.id, spec.task});
  out.what.spec = pack(spec);
  return out;
}

caf::expected<inbound_effect> take(caf::expected<inbound_effect> (*read)(const inbound_message&),
                                   std::string body) {
  auto message = inbound_message{};
  message.id = "amqp/q/1";
  message.body = std::move(body);
  return read(message);
}

std::string place_of_fault(caf::expected<inbound_effect> got) {
  REQUIRE(!got);
  return explain(got.error()).place;
}

} // namespace

TEST_CASE("an object goes out as EBS knows it, with more fields") {
  auto x = object_created{};
  x.what = {837, "lorem", "ipsum"};
  x.source = "http";
  auto out = publish(x);
  REQUIRE(out.size() == 1);
  CHECK(out[0].exchange == "ebs");
  CHECK(out[0].routing_key == "objects");
  CHECK(out[0].type == "OBJECT_CREATED");
  CHECK(out[0].content_type == "application/json");
  CHECK(body_of(out[0])
        == json{{"id", 837},
                {"name", "lorem"},
                {"content", "ipsum"},
                {"event", "OBJECT_CREATED"},
                {"event_id", out[0].message_id},
                {"timestamp", "2025-11-20T10:00:00.123456Z"}});
}

TEST_CASE("an object that came from the broker does not go back") {
  auto x = object_created{};
  x.source = "amqp";
  CHECK(publish(x).empty());
  CHECK(publish(queued({{7, "a", "b"}, 0, 0, "9f0c6b0d2f7e4d0c8d0b1a2c3d4e5f60"})).empty());
}

TEST_CASE("a task goes out under its key, whatever attempt it is") {
  auto out = publish(queued({{837, "lorem", "ipsum"}, 1, 3, {}}));
  REQUIRE(out.size() == 1);
  CHECK(out[0].routing_key == "task-requests");
  auto body = body_of(out[0]);
  CHECK(body["id"] == wire_id);
  CHECK(body["object"] == json{{"id", 837}, {"name", "lorem"}, {"content", "ipsum"}});
  CHECK(body["attempt"] == 1);
  CHECK(body["index"] == 1);
  CHECK(body["count"] == 3);
  CHECK(body["event"] == "TASK_CREATED");
  auto again =
    job_requeued{task,      2,     std::string{process_kind},
                 "outside", "837", pack(process_spec{{837, "lorem", "ipsum"}, 1, 3, {}})};
  out = publish(again);
  REQUIRE(out.size() == 1);
  CHECK(body_of(out[0])["attempt"] == 3);
}

TEST_CASE("a task that is retried by hand goes out, even one of an outside distributor") {
  auto x = queued({{7, "a", "b"}, 0, 0, "9f0c6b0d2f7e4d0c8d0b1a2c3d4e5f60"});
  x.what.retry_of = new_job_id();
  auto out = publish(x);
  REQUIRE(out.size() == 1);
  CHECK(body_of(out[0])["id"] == "9f0c6b0d2f7e4d0c8d0b1a2c3d4e5f60");
}

TEST_CASE("starts and ends carry the legacy fields and the time spent") {
  auto x = run_started{};
  x.job = task;
  x.runner = "5b1e";
  x.kind = process_kind;
  x.queue = "process";
  x.subject = "837";
  auto out = publish(x);
  REQUIRE(out.size() == 1);
  CHECK(out[0].routing_key == "processing");
  auto body = body_of(out[0]);
  CHECK(body["type"] == "START_PROCESSING");
  CHECK(body["event"] == "TASK_STARTED");
  CHECK(body["target"] == wire_id);
  CHECK(body["processor"] == "5b1e");
  CHECK(body["object_id"] == 837);
  CHECK(body["attempt"] == 1);
  out = publish(finished(verdict::pass, reason::none, true));
  REQUIRE(out.size() == 1);
  body = body_of(out[0]);
  CHECK(body["type"] == "END_PROCESSING");
  CHECK(body["event"] == "TASK_FINISHED");
  CHECK(body["spend"] == 40);
  CHECK(body["spend_seconds"] == 4.0);
  CHECK(body["attempt"] == 2);
}

TEST_CASE("a failure says whether there is another attempt, the last one that the task is dead") {
  auto x = finished(verdict::fail, reason::process_failed, false);
  x.note = "exit code 3";
  auto out = publish(x);
  REQUIRE(out.size() == 1);
  auto body = body_of(out[0]);
  CHECK(body["type"] == "FAIL_PROCESSING");
  CHECK(body["event"] == "TASK_FAILED");
  CHECK(body["error"] == "exit code 3");
  CHECK(body["will_retry"] == true);
  x.final = true;
  out = publish(x);
  REQUIRE(out.size() == 2);
  CHECK(body_of(out[0])["will_retry"] == false);
  CHECK(body_of(out[1])["event"] == "TASK_DEAD");
  CHECK(out[0].message_id != out[1].message_id);
  CHECK(publish(finished(verdict::canceled, reason::canceled, true)).size() == 1);
}

TEST_CASE("what outside processors say themselves is not said again") {
  auto x = finished(verdict::pass, reason::none, true);
  x.queue = outside_queue;
  CHECK(publish(x).empty());
  x = finished(verdict::fail, reason::process_failed, true);
  x.queue = outside_queue;
  auto out = publish(x);
  REQUIRE(out.size() == 1);
  CHECK(out[0].type == "TASK_DEAD");
  x = finished(verdict::error, reason::claim_expired, false);
  x.queue = outside_queue;
  out = publish(x);
  REQUIRE(out.size() == 1);
  CHECK(out[0].type == "TASK_FAILED");
}

TEST_CASE("events of other kinds are none of EBS") {
  auto x = finished(verdict::pass, reason::none, true);
  x.kind = "test";
  CHECK(publish(x).empty());
  CHECK(publish(ledger_opened{3}).empty());
}

TEST_CASE("a legacy object is taken in, its fields may be missing") {
  CHECK(take(read_ebs_object, R"({"id":837,"name":"word","content":"word"})"));
  CHECK(take(read_ebs_object, R"({"id":-1,"name":null,"more":[1,{"x":2}]})"));
  CHECK(take(read_ebs_object, "{}"));
  CHECK(!take(read_ebs_object, "[]"));
  CHECK(!take(read_ebs_object, "nothing"));
  CHECK(!take(read_ebs_object, ""));
}

TEST_CASE("a legacy task needs an id and an object") {
  CHECK(take(read_ebs_task, R"({"id":"9f0c","object":{"id":1,"name":"a","content":"b"}})"));
  CHECK(place_of_fault(take(read_ebs_task, R"({"id":"9f0c"})")) == "object");
  CHECK(place_of_fault(take(read_ebs_task, R"({"id":"9f0c","object":{}})")) == "object.id");
  CHECK(place_of_fault(take(read_ebs_task, R"({"object":{"id":1}})")) == "id");
}

TEST_CASE("a legacy report needs a type that is known, and a target") {
  CHECK(take(read_ebs_report,
             R"({"type":"START_PROCESSING","target":"9f","processor":"5b","spend":null})"));
  CHECK(take(read_ebs_report, R"({"type":"END_PROCESSING","target":"9f","processor":"5b"})"));
  CHECK(take(read_ebs_report, R"({"type":"FAIL_PROCESSING","target":"9f","processor":"5b",)"
                              R"("attempt":2,"spend_seconds":1.5,"error":"no","data":{"a":1}})"));
  CHECK(take(read_ebs_report, R"({"type":"DEAD_PROCESSING","target":"9f","attempt":3})"));
  CHECK(place_of_fault(take(read_ebs_report, R"({"type":"MUSIC","target":"9f"})")) == "type");
  CHECK(place_of_fault(take(read_ebs_report, R"({"type":"END_PROCESSING"})")) == "target");
}
