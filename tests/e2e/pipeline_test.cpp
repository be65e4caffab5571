/// The acceptance tests of the object pipeline: a real node, a real RabbitMQ.
/// Source: spec/pipeline.md 3.6; number 11 is in tests/actors/objects_test.cpp.
#include "messages/ids.hpp"
#include "tests/support/pipeline_world.hpp"
#include "tests/support/test_cluster.hpp"

#include <catch2/catch.hpp>

#include <cmath>
#include <csignal>
#include <filesystem>
#include <fstream>

using namespace troupe;
using namespace troupe::tests;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

constexpr auto quick_work = "{processor: {process: {process_min: 0s, process_max: 100ms}}}";
constexpr auto outside_work = "{processors: outside, retry_base: 100ms, task_deadline: 2s}";
const auto reports = std::vector<std::string>{"troupe_results"};

std::string script(const temp_folder& folder, const std::string& text) {
  auto path = folder.path() + "/work";
  std::ofstream{path} << "#!/bin/sh\n" << text;
  fs::permissions(path, fs::perms::owner_all);
  return path;
}

/// Waits for the messages that make a task known outside; returns their bodies.
std::vector<json> await_tasks(pipeline_world& world, size_t count) {
  if (!world.await_events("TASK_CREATED", count))
    FAIL("tasks are not published:\n" << world.node.log());
  return world.events("TASK_CREATED");
}

json report(const std::string& type, const json& task, const std::string& processor) {
  return {{"type", type}, {"target", task.at("id")}, {"processor", processor}, {"spend", nullptr}};
}

void check_counts(const pipeline_world& world, size_t objects, size_t tasks) {
  auto counts = world.counts();
  CHECK(counts["generated"] == objects);
  CHECK(counts["distributed"] == tasks);
  CHECK(counts["processed"] == tasks);
  CHECK(counts["in_progress"] == 0);
}

/// Waits until the statistics have counted so many tasks as processed; returns them.
json await_statistics(const pipeline_world& world, uint64_t processed) {
  auto out = json{};
  if (!await(30s, [&] {
        auto got = world.node.get("/statistics");
        if (got.status == 200)
          out = got.document();
        return !out.is_null() && out.at("processed") == processed && out.at("in_progress") == 0;
      }))
    FAIL("the statistics do not count " << processed << ": " << out << '\n' << world.node.log());
  return out;
}

size_t tasks_of(const json& object, const std::string& processor) {
  auto out = size_t{0};
  for (const auto& task : object.at("tasks"))
    out += task.at("processor") == processor;
  return out;
}

/// Two nodes that do tasks, and one that has the state.
cluster_plan two_processors(const std::string& objects, const std::string& work) {
  auto plan = cluster_plan{};
  plan.runners = 2;
  plan.jobs = "{lease: 2s}";
  plan.state = "objects: " + objects;
  plan.runner = "driver: process\n        slots: 1\n        process: " + work;
  return plan;
}

json await_object(test_cluster& cluster, uint64_t id, const std::string& state) {
  auto out = json{};
  if (!await(90s, [&] {
        auto got = cluster.gateway().get("/objects/" + std::to_string(id));
        if (got.status == 200)
          out = got.document();
        return !out.is_null() && out.at("state") == state;
      }))
    FAIL("object is not " << state << ": " << out << '\n' << cluster.logs());
  return out;
}

uint64_t create(test_cluster& cluster) {
  auto made = cluster.gateway().post("/objects", "");
  REQUIRE(made.status == 201);
  return made.document().at("id").get<uint64_t>();
}

} // namespace

TEST_CASE("acceptance 1: one object, three tasks, all processed and counted", "[e2e][objects]") {
  auto world = pipeline_world{private_broker::shared(), {.objects = quick_work}};
  world.start();
  auto id = world.create();
  world.await_object(id);
  check_counts(world, 1, 3);
  REQUIRE(world.await_events("TASK_FINISHED", 3));
  CHECK(world.events("OBJECT_CREATED").size() == 1);
  CHECK(world.events("OBJECT_CREATED").at(0).at("_key") == "objects");
  CHECK(world.events("TASK_CREATED").size() == 3);
  CHECK(world.events("TASK_CREATED").at(0).at("_key") == "task-requests");
  CHECK(world.events("TASK_STARTED").size() == 3);
  CHECK(world.events("TASK_STARTED").at(0).at("_key") == "processing");
}

TEST_CASE("acceptance 2: the task of a killed processor is done by another, once",
          "[e2e][objects]") {
  auto cluster = test_cluster{two_processors("{run_processor: false, distribution: 2}",
                                             "{process_min: 3s, process_max: 3s}")};
  cluster.start();
  auto id = create(cluster);
  auto both_run = [&] {
    auto got = cluster.gateway().get("/objects/" + std::to_string(id));
    if (got.status != 200)
      return false;
    auto object = got.document();
    return tasks_of(object, "runner-1-fake") == 1 && tasks_of(object, "runner-2-fake") == 1;
  };
  REQUIRE(await(30s, both_run));
  cluster.runner(0).crash();
  auto done = await_object(cluster, id, "completed");
  CHECK(done.at("tasks_done") == 2);
  CHECK(tasks_of(done, "runner-2-fake") == 2);
  auto queues = cluster.gateway().get("/queues").document();
  for (const auto& queue : queues.at("queues"))
    CHECK(queue.at("running") == 0);
}

TEST_CASE("acceptance 3: a failing task is tried three times, then dead, and can be retried",
          "[e2e][objects]") {
  auto folder = temp_folder{};
  auto good = folder.path() + "/good";
  auto work = script(folder, "test -e " + good + " || { echo broken >&2; exit 3; }\necho '{}'\n");
  auto world =
    pipeline_world{private_broker::shared(),
                   {.objects = "{distribution: 1, retry_base: 50ms, processor: {process: "
                               "{work: \"exec:"
                               + work + "\"}}}"}};
  world.start();
  auto id = world.create();
  auto failed = world.await_object(id, "failed");
  CHECK(failed.at("tasks").at(0).at("attempt") == 3);
  CHECK(failed.at("tasks").at(0).at("error") == "exit code 3: broken");
  REQUIRE(world.await_events("TASK_DEAD", 1));
  auto failures = world.events("TASK_FAILED");
  REQUIRE(failures.size() == 3);
  CHECK(failures[0].at("will_retry") == true);
  CHECK(failures[2].at("will_retry") == false);
  CHECK(world.counts()["dead"] == 1);
  CHECK(world.counts()["in_progress"] == 0);
  CHECK(world.node.get("/objects/dead").document().at("tasks").size() == 1);
  std::ofstream{good} << "now";
  auto retried = world.node.post("/objects/dead/retry", R"({"all":true})");
  REQUIRE(retried.status == 200);
  CHECK(retried.document().at("tasks").size() == 1);
  world.await_object(id);
  CHECK(world.node.get("/objects/dead").document().at("tasks").empty());
}

TEST_CASE("acceptance 4: two processors share twenty tasks evenly", "[e2e][objects]") {
  auto cluster = test_cluster{two_processors("{run_processor: false, distribution: 20}",
                                             "{process_min: 300ms, process_max: 300ms}")};
  cluster.start();
  auto done = await_object(cluster, create(cluster), "completed");
  INFO(done);
  CHECK(std::abs(static_cast<int>(tasks_of(done, "runner-1-fake")) - 10) <= 2);
  CHECK(tasks_of(done, "runner-1-fake") + tasks_of(done, "runner-2-fake") == 20);
}

TEST_CASE("acceptance 5: no order of starts is needed, a broker that restarts loses nothing",
          "[e2e][objects]") {
  auto broker = private_broker{};
  auto world = pipeline_world{broker, {.objects = quick_work}};
  broker.stop();
  world.start();
  auto ids = std::vector<uint64_t>{world.create()};
  world.await_object(ids.back());
  broker.start();
  REQUIRE(world.await_events("TASK_FINISHED", 3));
  for (auto i = 0; i < 10; ++i) {
    ids.push_back(world.create());
    if (i == 3)
      broker.crash();
    if (i == 6)
      broker.start();
  }
  for (auto id : ids)
    world.await_object(id);
  REQUIRE(world.await_events("TASK_FINISHED", 33));
  CHECK(world.events("OBJECT_CREATED").size() == 11);
  CHECK(world.events("TASK_CREATED").size() == 33);
  CHECK(world.events("TASK_STARTED").size() == 33);
  CHECK(world.events("TASK_FINISHED").size() == 33);
  check_counts(world, 11, 33);
}

TEST_CASE("acceptance 6: a node that was killed counts the same afterwards", "[e2e][objects]") {
  auto world =
    pipeline_world{private_broker::shared(), {.objects = quick_work, .roles = "  statistics: {}"}};
  world.start();
  for (auto i = 0; i < 5; ++i)
    world.await_object(world.create());
  auto before = world.counts();
  auto told = await_statistics(world, 15);
  world.node.crash();
  world.start();
  CHECK(world.counts() == before);
  check_counts(world, 5, 15);
  auto again = await_statistics(world, 15);
  for (auto what : {"generated", "distributed", "started", "processed", "failed", "retried", "dead",
                    "in_progress", "spend"}) {
    INFO(what);
    CHECK(again.at(what) == told.at(what));
  }
  CHECK(again.at("generated") == 5);
  CHECK(again.at("distributed") == 15);
  CHECK(again.at("in_progress") == 0);
}

TEST_CASE("acceptance 7: an end that is delivered twice is counted once", "[e2e][objects]") {
  auto world =
    pipeline_world{private_broker::shared(), {.objects = outside_work, .consume = reports}};
  world.start();
  auto id = world.create();
  for (const auto& task : await_tasks(world, 3)) {
    world.say("processing", report("START_PROCESSING", task, "p1"));
    for (auto i = 0; i < 3; ++i)
      world.say("processing", report("END_PROCESSING", task, "p1"));
  }
  world.await_object(id);
  check_counts(world, 1, 3);
}

TEST_CASE("acceptance 8: an end says how long the work took", "[e2e][objects]") {
  auto world = pipeline_world{
    private_broker::shared(),
    {.objects = "{distribution: 2, processor: {process: {process_min: 2s, process_max: 2s}}}"}};
  world.start();
  auto done = world.await_object(world.create());
  REQUIRE(world.await_events("TASK_FINISHED", 2));
  for (const auto& end : world.events("TASK_FINISHED")) {
    INFO(end);
    CHECK(std::abs(end.at("spend_seconds").get<double>() - 2.0) <= 0.2);
    CHECK(std::abs(end.at("spend").get<int>() - 20) <= 2);
  }
}

TEST_CASE("acceptance 9: no queue of ours grows without a consumer", "[e2e][objects]") {
  auto world =
    pipeline_world{private_broker::shared(), {.objects = quick_work, .consume = reports}};
  world.start();
  for (auto i = 0; i < 5; ++i)
    world.await_object(world.create());
  REQUIRE(world.await_events("TASK_FINISHED", 15));
  auto client = broker_client{world.broker.port()};
  // Its own reports come back to it, too.
  CHECK(await(30s, [&] { return client.ready("troupe_results") == 0U; }));
  check_counts(world, 5, 15);
}

TEST_CASE("acceptance 10: every spelling of keys and paths is understood", "[e2e][objects]") {
  auto world =
    pipeline_world{private_broker::shared(),
                   {.objects = quick_work, .consume = {"troupe_tasks", "troupe_objects"}}};
  world.start();
  auto client = broker_client{world.broker.port()};
  client.bind("troupe_tasks", "ebs", "legacy.task-requests");
  client.bind("troupe_tasks", "ebs", "legacy.tasks-requests");
  for (auto path : {"/objects", "/objects/", "/api/objects", "/api/objects/"})
    world.await_object(world.create(path));
  auto number = uint64_t{500};
  for (auto key : {"legacy.task-requests", "legacy.tasks-requests"}) {
    auto what = json{{"id", ++number}, {"name", "word"}, {"content", "word"}};
    world.say(key, {{"id", "9f0c6b0d2f7e4d0c8d0b1a2c3d4e5f" + std::to_string(number % 100 + 10)},
                    {"object", what}});
    CHECK(await(
      30s, [&] { return world.node.get("/api/objects/" + std::to_string(number)).status == 200; }));
    world.await_object(number);
  }
  world.say("legacy-objects", {{"id", 837}, {"name", "word"}, {"content", "word"}});
  CHECK(await(30s, [&] { return world.node.get("/objects/837").status == 200; }));
  CHECK(world.await_object(837).at("tasks_done") == 3);
  // What came from the broker is not announced there again.
  REQUIRE(world.await_events("TASK_FINISHED", 17));
  CHECK(world.events("OBJECT_CREATED").size() == 4);
}

TEST_CASE("an outside task that is abandoned is published again, and dead in the end",
          "[e2e][objects]") {
  auto world =
    pipeline_world{private_broker::shared(), {.objects = outside_work, .consume = reports}};
  world.start();
  auto id = world.create();
  auto first = await_tasks(world, 3);
  for (auto i = 0; i < 2; ++i) {
    world.say("processing", report("START_PROCESSING", first[i], "p1"));
    world.say("processing", report("END_PROCESSING", first[i], "p1"));
  }
  // It dies three times: nothing is heard of it after its start.
  for (auto attempt = 1; attempt <= 3; ++attempt) {
    auto all = await_tasks(world, 2 + static_cast<size_t>(attempt));
    CHECK(all.back().at("attempt") == attempt);
    CHECK(all.back().at("id") == first[2].at("id"));
    world.say("processing", report("START_PROCESSING", first[2], "p1"));
    REQUIRE(world.await_events("TASK_FAILED", static_cast<size_t>(attempt)));
  }
  world.await_object(id, "failed");
  REQUIRE(world.await_events("TASK_DEAD", 1));
  CHECK(world.counts()["in_progress"] == 0);
}

TEST_CASE("legacy services with their transient exchange share the broker", "[e2e][objects]") {
  auto broker = private_broker{};
  auto world =
    pipeline_world{broker, {.objects = outside_work, .consume = reports, .durable = false}};
  world.start();
  auto id = world.create();
  for (const auto& task : await_tasks(world, 3)) {
    world.say("processing", report("START_PROCESSING", task, "5b1e"));
    world.say("processing",
              {{"type", "END_PROCESSING"}, {"target", task.at("id")}, {"processor", "5b1e"}});
  }
  world.await_object(id);
  check_counts(world, 1, 3);
}
