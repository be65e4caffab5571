/// What can be configured under roles.amqp.
#include "bridges/amqp/options.hpp"

#include <catch2/catch.hpp>

#include <cstdlib>

using namespace troupe;

namespace {

amqp_options read(const std::string& yaml, std::string* faults = nullptr) {
  auto in = section::from_text(yaml, "t");
  REQUIRE(in);
  auto out = read_amqp_options(*in, "n");
  auto why = in->done();
  if (faults)
    *faults = why ? one_line(why) : "";
  else
    CHECK(!why);
  return out;
}

} // namespace

TEST_CASE("reports that come early are waited for where tasks are taken in", "[unit][amqp]") {
  CHECK(read("consume: {q: {handler: ebs_report}}").early_for == caf::timespan{0});
  auto both = std::string{"consume: {q: {handler: ebs_report}, t: {handler: ebs_task}}"};
  CHECK(read(both).early_for == std::chrono::seconds{30});
  CHECK(read(both + "\nearly_for: 5s").early_for == std::chrono::seconds{5});
  auto faults = std::string{};
  read(both + "\nearly_for: 20m", &faults);
  CHECK(faults.find("early_for") != std::string::npos);
}

TEST_CASE("topology, consumers and publishers are read", "[unit][amqp]") {
  auto got = read(R"(
urls: [rabbit-1, "amqps://rabbit-2/x"]
user: troupe
heartbeat: 5s
exchanges:
  ebs: {durable: false}
  events: {type: fanout, declare: passive}
queues:
  jobs:
    type: quorum
    arguments: {x-delivery-limit: 5}
    bindings: {ebs: [objects, "tasks.*"]}
consume:
  jobs: {handler: event, prefetch: 50, max_body: 2MiB}
publish:
  events: {topics: [job., external.x], exchange: ebs, routing_key: k, unroutable: drop}
)");
  REQUIRE(got.link.brokers.size() == 2);
  CHECK(got.link.brokers[0].user == "troupe");
  CHECK(got.link.brokers[1].tls);
  CHECK(got.consumer == "amqp@n");
  REQUIRE(got.plan.exchanges.size() == 2);
  CHECK(!got.plan.exchanges[0].durable);
  CHECK(got.plan.exchanges[1].declare == declaring::passive);
  REQUIRE(got.plan.find_queue("jobs"));
  CHECK(got.plan.find_queue("jobs")->bindings.size() == 2);
  REQUIRE(got.consume.size() == 1);
  CHECK(got.consume[0].topic == "external.jobs");
  CHECK(got.consuming.subscriptions[0].prefetch == 50);
  REQUIRE(got.publish.size() == 1);
  CHECK(got.publish[0].otherwise == unroutable::drop);
  CHECK(got.dead_letter_queues() == std::vector<std::string>{"troupe.dead"});
}

TEST_CASE("what does not fit together is told with its place", "[unit][amqp]") {
  struct row {
    const char* yaml;
    const char* fault;
  };
  for (const auto& x : {
         row{"consume: {a: {}}", "handler"},
         row{"consume: {a: {handler: nobody}}", "nobody"},
         row{"consume: {a: {handler: event, topic: job.queued}}", "external."},
         row{"publish: {a: {exchange: a}}", "topics"},
         row{"publish: {a: {topics: [a.], rule: none}}", "no rule"},
         row{"queues: {a: {type: fast}}", "classic"},
         row{"queues: {a: {type: quorum, durable: false}}", "durable"},
         row{"exchanges: {a: {declare: maybe}}", "passive"},
         row{"urls: [\"amqp://u:secret@h\"]", "url_file"},
         row{"urls: [\"http://h\"]", "scheme"},
         row{"password: secret", "password_file"},
         row{"heartbeat: 1h", "heartbeat"},
         row{"tls: {certificate_file: x}", "together"},
         row{"unknown: 1", "unknown"},
       }) {
    INFO(x.yaml);
    auto faults = std::string{};
    read(x.yaml, &faults);
    INFO(faults);
    CHECK(faults.find(x.fault) != std::string::npos);
    CHECK(faults.find("secret@") == std::string::npos);
  }
}

TEST_CASE("QUEUE_URL of the first pipeline is understood", "[unit][amqp]") {
  ::setenv("QUEUE_URL", "rabbit:5673", 1);
  auto got = read("{}");
  CHECK(to_string(got.link.brokers.at(0)) == "rabbit:5673/");
  CHECK(to_string(read("urls: [other]").link.brokers.at(0)) == "other:5672/");
  ::unsetenv("QUEUE_URL");
  CHECK(to_string(read("{}").link.brokers.at(0)) == "127.0.0.1:5672/");
}

TEST_CASE("a feed of Pulse needs a name only") {
  auto in = section::from_text("user: someone\npulse: {hardware: {}}\n", "test");
  REQUIRE(in);
  auto options = read_amqp_options(*in, "here");
  REQUIRE_FALSE(in->done());
  const auto& to = options.link.brokers.at(0);
  CHECK(to_string(to) == "pulse.mozilla.org:5671/");
  CHECK(to.tls);
  const auto& queue = options.plan.queues.at(0);
  CHECK(queue.name == "queue/someone/hardware");
  CHECK(queue.durable);
  CHECK(queue.type == "quorum");
  CHECK(queue.bindings.size() == 4);
  CHECK(queue.bindings.at(0).exchange == "exchange/taskcluster-queue/v1/task-running");
  CHECK(queue.bindings.at(0).key == "primary.*.*.*.*.releng-hardware.*.*.*.#");
  for (const auto& x : options.plan.exchanges)
    CHECK(x.declare == declaring::no);
  CHECK(options.dead_letter_queues().empty());
}

TEST_CASE("a feed that cannot be is told where") {
  auto fault_of = [](const std::string& text) {
    auto in = section::from_text("pulse:\n  x: " + text, "test");
    REQUIRE(in);
    read_amqp_options(*in, "here");
    return one_line(in->done());
  };
  CHECK_THAT(fault_of("{provisioners: []}"), Catch::Contains("provisioners: name at least one"));
  CHECK_THAT(fault_of("{provisioners: ['#']}"), Catch::Contains("no wildcards"));
  CHECK_THAT(fault_of("{queue_type: stream}"), Catch::Contains("must be classic or quorum"));
  CHECK_THAT(fault_of("{durable: false}"), Catch::Contains("always durable"));
}
