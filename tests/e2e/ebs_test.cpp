/// What services of EBS that nobody changes expect: their variables, calls without tokens,
/// reports in any order. Source: spec/pipeline.md 3.2, 3.5.
#include "tests/support/pipeline_world.hpp"

#include <catch2/catch.hpp>

using namespace troupe;
using namespace troupe::tests;
using namespace std::chrono_literals;

namespace {

constexpr auto patient_outside = "{processors: outside, retry_base: 100ms, task_deadline: 1m}";
constexpr auto legacy_task = "9f0c6b0d2f7e4d0c8d0b1a2c3d4e5f60";

uint64_t amqp_count(const pipeline_world& world, const char* name) {
  auto got = world.node.get("/amqp");
  return got.status == 200 ? got.document().at("counters").at(name).get<uint64_t>() : 0;
}

json say_of(const std::string& type, const std::string& target) {
  return {{"type", type}, {"target", target}, {"processor", "p1"}, {"spend", nullptr}};
}

json task_named(const std::string& id, uint64_t object) {
  return {{"id", id}, {"object", {{"id", object}, {"name", "word"}, {"content", "word"}}}};
}

/// How many tasks of an object run at the same time on a node whose one slot is busy.
size_t tasks_held(const std::string& processor, size_t expected) {
  auto node =
    node_process{"\n  journal: {}\n  jobs: {}\n  artifacts: {}\n  objects: {distribution: "
                 "6, processor: {slots: 1, process: {process_min: 1m, process_max: 1m}"
                   + processor + "}}\n  http: {port: 0}\n",
                 {"PREFETCH=3"}};
  node.start();
  auto made = node.post("/objects", "");
  REQUIRE(made.status == 201);
  auto path = "/objects/" + std::to_string(made.document().at("id").get<uint64_t>());
  auto running = size_t{0};
  CHECK(await(30s, [&] {
    running = 0;
    auto object = node.get(path).document();
    for (const auto& task : object.at("tasks"))
      running += task.at("state") == "running";
    return running == expected;
  }));
  node.crash();
  return running;
}

} // namespace

TEST_CASE("PREFETCH is how many tasks a processor holds, unless the configuration says it",
          "[e2e][objects]") {
  CHECK(tasks_held("", 3) == 3);
  CHECK(tasks_held(", prefetch: 4", 4) == 4);
}

TEST_CASE("a caller without a token makes an object where the configuration allows it",
          "[e2e][objects]") {
  for (auto open : {false, true}) {
    auto node = node_process{"\n  journal: {}\n  jobs: {}\n  artifacts: {}\n  objects: {}\n  http: "
                             "{port: 0, compat: {ebs_open: "
                             + std::string{open ? "true" : "false"} + "}}\n"};
    node.start();
    for (auto path : {"/objects", "/objects/", "/api/objects", "/api/objects/"})
      CHECK(node.request("POST", path, "", {}, false).status == (open ? 201 : 401));
    CHECK(node.request("GET", "/objects", "", {}, false).status == 401);
    CHECK(node.get("/objects").document().at("objects").size() == (open ? 4 : 0));
  }
}

TEST_CASE("reports that overtake their task wait for it", "[e2e][objects]") {
  auto world =
    pipeline_world{private_broker::shared(),
                   {.objects = patient_outside, .consume = {"troupe_tasks", "troupe_results"}}};
  world.start();
  world.say("processing", say_of("START_PROCESSING", legacy_task));
  world.say("processing", say_of("END_PROCESSING", legacy_task));
  // They were looked at, and kept.
  REQUIRE(await(30s, [&] { return amqp_count(world, "retries") >= 2; }));
  CHECK(world.node.get("/objects/501").status == 404);
  // Whoever dies with them loses nothing.
  world.node.crash();
  world.start();
  REQUIRE(await(30s, [&] { return amqp_count(world, "retries") >= 2; }));
  world.say("legacy-tasks", task_named(legacy_task, 501));
  REQUIRE(await(30s, [&] { return world.node.get("/objects/501").status == 200; }));
  auto done = world.await_object(501);
  CHECK(done.at("tasks").at(0).at("processor") == "p1");
  CHECK(done.at("tasks").at(0).at("attempt") == 1);
  REQUIRE(await(30s, [&] { return amqp_count(world, "stored") >= 3; }));
  CHECK(amqp_count(world, "poison") == 0);
}

TEST_CASE("DEAD_PROCESSING fails the attempt that it speaks of, once", "[e2e][objects]") {
  auto world = pipeline_world{private_broker::shared(),
                              {.objects = "{processors: outside, distribution: 1, max_attempts: 2, "
                                          "retry_base: 100ms, task_deadline: 1m}",
                               .consume = {"troupe_results"}}};
  world.start();
  auto id = world.create();
  for (auto attempt = 1; attempt <= 2; ++attempt) {
    REQUIRE(world.await_events("TASK_CREATED", static_cast<size_t>(attempt)));
    auto task = world.events("TASK_CREATED").back().at("id").get<std::string>();
    world.say("processing", say_of("START_PROCESSING", task));
    world.say("processing", say_of("DEAD_PROCESSING", task));
  }
  auto failed = world.await_object(id, "failed");
  CHECK(failed.at("tasks").at(0).at("attempt") == 2);
  CHECK(amqp_count(world, "poison") == 0);
  CHECK(world.counts()["dead"] == 1);
}
