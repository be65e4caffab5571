/// What is special to processors: simulated work, and programs that do it.
#include "actors/runners/catalog/catalog.hpp"
#include "messages/json.hpp"
#include "messages/object.hpp"
#include "tests/support/recording_sink.hpp"
#include "tests/support/temp_folder.hpp"

#include <catch2/catch.hpp>

#include <filesystem>
#include <fstream>
#include <thread>

using namespace troupe;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

run_order task_order(process_spec spec = {{837, "lorem", "ip\"sum"}, 1, 3, {}}) {
  auto out = run_order{};
  out.job = new_job_id();
  out.run_id = 1;
  out.kind = process_kind;
  out.spec = pack(spec);
  out.deadline = 1min;
  return out;
}

caf::expected<runner_driver_ptr> driver_of(const std::string& text) {
  auto options = section::from_text(text, "process");
  REQUIRE(options);
  return make_runner("process", *options, {"p1", {}});
}

/// A processor whose work is a shell script.
struct script_world {
  explicit script_world(const std::string& script, const std::string& arguments = {}) {
    std::ofstream{program} << "#!/bin/sh\n" << script;
    fs::permissions(program, fs::perms::owner_all);
    auto made = driver_of("work: \"exec:" + program + arguments + "\"");
    REQUIRE(made);
    driver = *made;
  }

  run_outcome run(run_order order = task_order()) {
    return driver->run(order, sink, {});
  }

  tests::temp_folder folder;
  std::string program = folder.path() + "/work";
  tests::recording_sink sink;
  runner_driver_ptr driver;
};

} // namespace

TEST_CASE("simulated work takes ticks between the bounds, and says how long", "[integration]") {
  auto driver = driver_of("{process_min: 100ms, process_max: 300ms}");
  REQUIRE(driver);
  auto sink = tests::recording_sink{};
  auto out = (*driver)->run(task_order(), sink, {});
  CHECK(out.result == verdict::pass);
  CHECK(out.spend >= caf::timespan{100ms});
  CHECK(driver_of("{process_min: 0s, process_max: 0s}"));
  CHECK_FALSE(driver_of("{process_min: 2s, process_max: 1s}"));
}

TEST_CASE("a program reads the task and its output is the result", "[integration]") {
  auto world = script_world{"read -r line; printf '{\"seen\":%s}' \"$line\"\n"};
  auto order = task_order();
  auto out = world.run(order);
  INFO(out.note);
  REQUIRE(out.result == verdict::pass);
  auto data = parse_json_text(out.data);
  REQUIRE(data);
  const auto& seen = (*data)["seen"];
  CHECK(seen["id"] == to_task_id(order.job));
  CHECK(seen["object"] == json{{"id", 837}, {"name", "lorem"}, {"content", "ip\"sum"}});
  CHECK(seen["attempt"] == 2);
  CHECK(seen["index"] == 1);
  CHECK(seen["count"] == 3);
  CHECK(out.spend > caf::timespan{0});
}

TEST_CASE("a program that says nothing has no result", "[integration]") {
  auto out = script_world{"exit 0\n"}.run();
  CHECK(out.result == verdict::pass);
  CHECK(out.data.empty());
}

TEST_CASE("an exit code other than 0 is a failure with the program's words", "[integration]") {
  auto out = script_world{"echo '{}'; echo 'no disk left' >&2; exit 3\n"}.run();
  CHECK(out.result == verdict::fail);
  CHECK(out.why == reason::process_failed);
  CHECK(out.note == "exit code 3: no disk left");
  CHECK(out.data.empty());
}

TEST_CASE("an output that is no JSON, or too much of it, is a failure", "[integration]") {
  CHECK(script_world{"echo hello\n"}.run().why == reason::process_failed);
  auto out = script_world{"printf '\"'; head -c 70000 /dev/zero | tr '\\0' x; printf '\"'\n"}.run();
  CHECK(out.why == reason::process_failed);
  CHECK(out.note.find("64 KiB") != std::string::npos);
}

TEST_CASE("a program that takes too long is ended at the deadline", "[integration]") {
  auto world = script_world{"sleep 300 & wait\n"};
  auto order = task_order();
  order.deadline = 100ms;
  CHECK(world.run(order).why == reason::task_timeout);
}

TEST_CASE("a program that ignores its end is killed", "[integration]") {
  auto world = script_world{"trap '' TERM; sleep 300 & wait; sleep 300\n"};
  auto stop = std::stop_source{};
  auto other = std::jthread{[&stop] { stop.request_stop(); }};
  CHECK(world.driver->run(task_order(), world.sink, stop.get_token()).why == reason::canceled);
}

TEST_CASE("arguments reach the program as they are: there is no shell between", "[integration]") {
  auto world = script_world{"printf '[\"%s\",\"%s\"]' \"$1\" \"$2\"\n", " $HOME a;b"};
  auto data = parse_json_text(world.run().data);
  REQUIRE(data);
  CHECK(*data == json::array({"$HOME", "a;b"}));
}

TEST_CASE("a program that is not there breaks the processor", "[integration]") {
  auto driver = driver_of("work: \"exec:/no/such/program\"");
  REQUIRE(driver);
  CHECK(explain((*driver)->check()).code == ec::unavailable);
  CHECK_FALSE(driver_of("work: \"exec:relative\""));
  CHECK_FALSE(driver_of("work: magic"));
}
