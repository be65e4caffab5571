/// What every driver of the catalog owes: docs/adding-a-runner.md.
#include "actors/runners/catalog/catalog.hpp"
#include "actors/runners/docker/reaper.hpp"
#include "messages/object.hpp"
#include "messages/test.hpp"
#include "tests/support/private_engine.hpp"
#include "tests/support/recording_sink.hpp"

#include <catch2/catch.hpp>

#include <filesystem>
#include <fstream>
#include <set>
#include <thread>

using namespace troupe;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

/// An external runner: one stage, or one that never ends.
constexpr auto exec_script = R"(#!/bin/sh
read -r line
case $line in
*FAKE_RUN_FOR*)
  echo '{"type":"stage_started","name":"long"}'
  sleep 300 &
  wait ;;
*)
  echo '{"type":"stage_started","name":"quick"}'
  echo '{"type":"output","text":"hello"}'
  echo '{"type":"stage_finished","name":"quick","success":true}'
  echo '{"type":"result","result":"pass"}' ;;
esac
)";

/// A processor: one task at once, or one that never ends.
constexpr auto process_script = R"(#!/bin/sh
read -r line
case $line in
*forever*)
  sleep 300 &
  wait ;;
*)
  echo '{"ok":true}' ;;
esac
)";

test_spec quick_test() {
  auto out = test_spec{};
  out.runner_type = "any";
  out.dist_name = "debian";
  out.dist_version = "12";
  out.dist_arch = "x86_64";
  out.package_name = "bash";
  return out;
}

/// A test that takes longer than any of these tests waits, where the backend allows it.
test_spec long_test() {
  auto out = quick_test();
  out.variables = {{"FAKE_RUN_FOR", "5m", false}, {"FAKE_STAGES", "long", false}};
  out.tests.emplace_back();
  out.tests.back().name = "sleep";
  out.tests.back().script = "#!/bin/sh\nsleep 300\n";
  return out;
}

run_order order_of(std::string kind, std::string spec) {
  auto out = run_order{};
  out.job = new_job_id();
  out.kind = std::move(kind);
  out.spec = std::move(spec);
  out.lease = 60s;
  out.deadline = 10min;
  return out;
}

void write_program(const std::string& path, const char* text) {
  std::ofstream{path} << text;
  fs::permissions(path, fs::perms::owner_all);
}

/// One driver in the world that it needs.
struct world {
  explicit world(std::string_view type_) : type{type_} {
    auto text = std::string{};
    auto program = folder.path() + "/runner";
    if (type == "exec") {
      write_program(program, exec_script);
      text = "argv: [" + program + "]";
    } else if (type == "process") {
      write_program(program, process_script);
      text = "work: \"exec:" + program + "\"";
    } else if (type == "docker") {
      text = "{socket: " + tests::private_engine::shared().socket()
             + ", min_free_disk: 1MiB, limits: {network: none}}";
    }
    auto options = section::from_text(text, "conformance");
    REQUIRE(options);
    auto made = make_runner(type, *options, {runner, folder.path() + "/data"});
    if (!made)
      FAIL(one_line(made.error()));
    driver = *made;
  }

  run_order quick() const {
    return type == "process" ? task("word") : order_of("test", pack(quick_test()));
  }
  run_order lasting() const {
    return type == "process" ? task("forever") : order_of("test", pack(long_test()));
  }
  static run_order task(const char* name) {
    return order_of(std::string{process_kind}, pack(process_spec{{1024, name, ""}, 0, 3, {}}));
  }

  /// Returns what a run could leave: processes and containers.
  std::set<std::string> left_behind() const {
    auto out = std::set<std::string>{};
    for (const auto& task : fs::directory_iterator{"/proc/self/task"}) {
      auto in = std::ifstream{task.path() / "children"};
      for (auto pid = std::string{}; in >> pid;)
        out.insert(pid);
    }
    if (type == "docker") {
      auto engine = engine_client{tests::private_engine::shared().socket()};
      auto all = list_containers(engine, runner, within(30s));
      REQUIRE(all);
      for (const auto& one : *all)
        out.insert(one.id);
    }
    return out;
  }

  std::string type;
  tests::temp_folder folder;
  std::string runner = tests::unique_runner();
  runner_driver_ptr driver;
};

/// Runs one rule over every driver.
template <class F>
void for_every_driver(F&& rule) {
  for (const auto& entry : runner_catalog())
    DYNAMIC_SECTION("driver " << entry.type) {
      auto here = world{entry.type};
      auto before = here.left_behind();
      rule(here);
      CHECK(here.left_behind() == before);
    }
}

void check_protocol(const tests::recording_sink& sink) {
  CHECK(sink.breaches == std::vector<std::string>{});
  CHECK(sink.open.empty());
  for (const auto& step : sink.stages)
    CHECK(step.success == (step.why == reason::none || step.why == reason::package_rejected));
}

/// Whether verdict and reason belong together.
bool agree(const run_outcome& x) {
  if (x.why == reason::none)
    return x.result == verdict::pass || x.result == verdict::neutral;
  return x.result == verdict_of(x.why);
}

} // namespace

TEST_CASE("every driver is fit where its backend is", "[integration][conformance]") {
  for_every_driver([](world& here) {
    auto why = here.driver->check();
    INFO((why ? one_line(why) : std::string{}));
    CHECK(!why);
  });
}

TEST_CASE("every driver takes a job to a verdict and keeps the sink's order",
          "[integration][conformance]") {
  for_every_driver([](world& here) {
    auto sink = tests::recording_sink{};
    auto out = here.driver->run(here.quick(), sink, {});
    INFO(name_of(out.why) << ": " << out.note);
    CHECK(agree(out));
    // Without a network a container cannot install; that it says so is a verdict too.
    if (here.type != "docker")
      CHECK(out.result == verdict::pass);
    check_protocol(sink);
  });
}

TEST_CASE("every driver ends a run that is stopped in a stage", "[integration][conformance]") {
  for_every_driver([](world& here) {
    auto sink = tests::recording_sink{};
    auto stop = std::stop_source{};
    sink.on_stage = [&stop] { stop.request_stop(); };
    auto other = std::jthread{};
    if (here.type == "process") // it has no stages
      other = std::jthread{[&stop] { stop.request_stop(); }};
    auto out = here.driver->run(here.lasting(), sink, stop.get_token());
    CHECK(out.why == reason::canceled);
    CHECK(out.result == verdict::canceled);
    check_protocol(sink);
  });
}

TEST_CASE("every driver begins nothing that is stopped already", "[integration][conformance]") {
  for_every_driver([](world& here) {
    auto sink = tests::recording_sink{};
    auto stop = std::stop_source{};
    stop.request_stop();
    auto out = here.driver->run(here.lasting(), sink, stop.get_token());
    CHECK(out.why == reason::canceled);
    check_protocol(sink);
  });
}

TEST_CASE("every driver ends a run at its deadline", "[integration][conformance]") {
  for_every_driver([](world& here) {
    auto sink = tests::recording_sink{};
    auto order = here.lasting();
    order.deadline = here.type == "docker" ? 1ms : 100ms;
    auto out = here.driver->run(order, sink, {});
    CHECK(out.why == reason::task_timeout);
    CHECK(out.result == verdict::timeout);
    check_protocol(sink);
  });
}

TEST_CASE("every driver refuses a spec that it cannot read", "[integration][conformance]") {
  for_every_driver([](world& here) {
    for (const auto* garbage : {"", "x", "\xff\xff\xff\xff\xff"}) {
      auto sink = tests::recording_sink{};
      auto order = here.quick();
      order.spec = garbage;
      auto out = here.driver->run(order, sink, {});
      CHECK(out.why == reason::malformed_request);
      CHECK(out.result == verdict::error);
      check_protocol(sink);
    }
  });
}

TEST_CASE("every driver executes runs at the same time", "[integration][conformance]") {
  for_every_driver([](world& here) {
    auto outcomes = std::vector<run_outcome>(3);
    auto sinks = std::vector<tests::recording_sink>(3);
    {
      auto threads = std::vector<std::jthread>{};
      for (auto i = size_t{0}; i < 3; ++i)
        threads.emplace_back(
          [&, i] { outcomes[i] = here.driver->run(here.quick(), sinks[i], {}); });
    }
    for (auto i = size_t{0}; i < 3; ++i) {
      CHECK(agree(outcomes[i]));
      check_protocol(sinks[i]);
    }
  });
}

TEST_CASE("every driver can sweep where nothing is left", "[integration][conformance]") {
  for_every_driver([](world& here) { here.driver->sweep({{new_job_id(), 0}}); });
}

TEST_CASE("every driver reports an unknown key with its place", "[integration][conformance]") {
  for (const auto& entry : runner_catalog())
    DYNAMIC_SECTION("driver " << entry.type) {
      auto options = section::from_text("no_such_key: 1", "runner.yaml");
      REQUIRE(options);
      auto made = make_runner(entry.type, *options, {});
      REQUIRE_FALSE(made);
      CHECK(explain(made.error()).code == ec::invalid_config);
      CHECK(one_line(made.error()).find("no_such_key") != std::string::npos);
    }
}

TEST_CASE("an unknown runner type is answered with the nearest one", "[integration][conformance]") {
  auto options = section{};
  auto made = make_runner("dokcer", options, {});
  REQUIRE_FALSE(made);
  CHECK(explain(made.error()).code == ec::unsupported);
  CHECK(one_line(made.error()).find("did you mean \"docker\"?") != std::string::npos);
}
