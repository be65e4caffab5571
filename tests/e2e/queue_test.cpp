/// Dead letters as an operator meets them: a real node, a real RabbitMQ, the program `troupe`.
#include "tests/support/pipeline_world.hpp"
#include "tests/support/test_cluster.hpp"

#include <catch2/catch.hpp>

using namespace troupe;
using namespace troupe::tests;
using namespace std::chrono_literals;

namespace {

constexpr auto dead = "troupe.dead";

struct outcome {
  int code = -1;
  std::string out;
};

outcome troupe_says(const pipeline_world& world, std::vector<std::string> words) {
  auto command = std::vector<std::string>{program("troupe"), "--server", world.node.server(),
                                          "--data", world.node.data()};
  command.insert(command.end(), words.begin(), words.end());
  auto got = run_process(std::move(command));
  return {got.exit_code, got.output};
}

json letters_of(const pipeline_world& world) {
  auto got = troupe_says(world, {"queue", "peek", dead, "--json"});
  INFO(got.out);
  REQUIRE(got.code == 0);
  return json::parse(got.out);
}

/// The value of a metric with these labels, -1 if it is not told.
double metric(const pipeline_world& world, const std::string& name) {
  auto got = world.node.get("/metrics");
  REQUIRE(got.status == 200);
  auto place = got.body.find('\n' + name + ' ');
  return place == std::string::npos ? -1 : std::stod(got.body.substr(place + name.size() + 2));
}

} // namespace

TEST_CASE("dead letters are listed, shown, replayed and purged by the client", "[e2e][amqp]") {
  auto broker = private_broker{};
  auto world = pipeline_world{broker, {.consume = {"troupe_objects"}}};
  world.start();
  auto letters = [&] { return broker_client{broker.port()}.ready(dead).value_or(0); };
  world.say("legacy-objects", json::array());
  world.say("legacy-objects", "text");
  world.say("legacy-objects", {{"id", 7}, {"name", "good"}, {"content", "neighbour"}});
  REQUIRE(await(30s, [&] { return letters() == 2; }));
  REQUIRE(await(30s, [&] { return world.node.get("/objects/7").status == 200; }));

  auto listed = troupe_says(world, {"queue", "ls", "--json"});
  INFO(listed.out);
  REQUIRE(listed.code == 0);
  CHECK(json::parse(listed.out).at(0).at("queue") == dead);
  CHECK(json::parse(listed.out).at(0).at("messages") == 2);

  auto shown = letters_of(world);
  REQUIRE(shown.size() == 2);
  for (const auto& x : shown) {
    CHECK(x.at("reason") == "invalid_argument");
    CHECK(x.at("queue") == "troupe_objects");
    CHECK(x.at("routing_key") == "legacy-objects");
  }
  CHECK(troupe_says(world, {"queue", "peek", "--max", "1"}).out.find("invalid_argument")
        != std::string::npos);
  CHECK(letters() == 2);

  // They are as bad as before: each comes back, none is lost or doubled.
  auto replayed = troupe_says(world, {"queue", "replay", dead});
  CHECK(replayed.code == 0);
  CHECK(replayed.out == "2 replayed\n");
  CHECK(await(30s, [&] {
    auto counters = world.node.get("/amqp").document().at("counters");
    return counters.at("poison") == 4 && letters() == 2;
  }));

  CHECK(troupe_says(world, {"queue", "purge", dead}).code != 0);
  CHECK(letters() == 2);
  CHECK(troupe_says(world, {"queue", "purge", dead, "--yes"}).out == "2 thrown away\n");
  CHECK(letters() == 0);
  CHECK(troupe_says(world, {"queue", "peek", "no-such-queue"}).code != 0);
}

TEST_CASE("metrics tell of the broker, the outbox and the dead letters", "[e2e][amqp]") {
  auto broker = private_broker{};
  auto world = pipeline_world{broker, {.consume = {"troupe_objects"}}};
  world.start();
  world.say("legacy-objects", json::array());
  CHECK(await(30s, [&] { return metric(world, "troupe_dlq_depth{queue=\"troupe.dead\"}") == 1; }));
  CHECK(metric(world, "troupe_amqp_messages_total{outcome=\"poison\"}") == 1);
  CHECK(metric(world, "troupe_amqp_messages_total{outcome=\"dead_lettered\"}") == 1);
  CHECK(metric(world, "troupe_amqp_connected{link=\"consume\"}") == 1);
  CHECK(metric(world, "troupe_amqp_connected{link=\"publish\"}") == 1);
  CHECK(await(30s, [&] { return metric(world, "troupe_outbox_depth") == 0; }));
  broker.stop();
  CHECK(await(60s, [&] { return metric(world, "troupe_amqp_connected{link=\"publish\"}") == 0; }));
  world.create();
  CHECK(await(30s, [&] {
    return metric(world, "troupe_outbox_depth") > 0
           && metric(world, "troupe_outbox_oldest_seconds") > 0;
  }));
  broker.start();
  CHECK(await(60s, [&] { return metric(world, "troupe_outbox_depth") == 0; }));
  CHECK(metric(world, "troupe_amqp_reconnects_total{link=\"publish\"}") >= 1);
  // Each link comes back in its own time.
  CHECK(await(60s, [&] { return metric(world, "troupe_amqp_connected{link=\"consume\"}") == 1; }));
}

TEST_CASE("a gateway reaches the dead letters of the node that has the broker", "[e2e][amqp]") {
  auto& broker = private_broker::shared();
  auto plan = cluster_plan{};
  plan.state =
    "amqp: {urls: [\"127.0.0.1:" + std::to_string(broker.port())
    + "\"], dead_letters: far.dead, queues: {far: {}}, consume: {far: {handler: event}}}";
  auto cluster = test_cluster{plan};
  cluster.start();
  auto& gateway = cluster.gateway();
  auto count = [&] {
    auto got = gateway.get("/queues/dead");
    return got.status == 200 ? got.document().at("queues").at(0).at("messages").get<int>() : -1;
  };
  REQUIRE(await(30s, [&] { return count() == 0; }));
  broker_client{broker.port()}.put("far", "text");
  REQUIRE(await(30s, [&] { return count() == 1; }));
  auto letters = gateway.get("/queues/dead/far.dead").document();
  CHECK(letters.at("letters").at(0).at("queue") == "far");
  auto moved = gateway.post("/queues/dead/far.dead/replay", "{}");
  REQUIRE(moved.status == 200);
  CHECK(moved.document().at("moved") == 1);
  CHECK(moved.document().contains("left"));
  REQUIRE(await(30s, [&] { return count() == 1; }));
  CHECK(gateway.post("/queues/dead/far.dead/purge", "").document().at("moved") == 1);
  CHECK(gateway.get("/amqp").document().at("counters").at("poison") == 2);
}
