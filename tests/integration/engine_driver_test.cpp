#include "actors/runners/docker/docker_driver.hpp"
#include "actors/runners/docker/reaper.hpp"
#include "tests/integration/engine_fixture.hpp"
#include "tests/support/recording_sink.hpp"

#include <catch2/catch.hpp>

using namespace troupe;
using namespace troupe::tests;
using namespace std::chrono_literals;

namespace {

test_spec hello_spec() {
  auto out = test_spec{};
  out.runner_type = "docker";
  out.dist_name = "debian";
  out.dist_version = "12";
  out.dist_arch = "x86_64";
  out.package_name = "hello";
  return out;
}

run_order order_of(const test_spec& spec) {
  auto out = run_order{};
  out.job = new_job_id();
  out.kind = "test";
  out.spec = pack(spec);
  out.deadline = 10min;
  return out;
}

docker_options engine_options() {
  auto out = docker_options{};
  out.socket = private_engine::shared().socket();
  out.min_free_disk = 0;
  return out;
}

size_t containers_of(const std::string& runner) {
  auto engine = engine_client{private_engine::shared().socket()};
  auto found = list_containers(engine, runner, within(30s));
  REQUIRE(found);
  return found->size();
}

/// Asks to stop when a stage begins.
class stopping_sink final : public recording_sink {
public:
  explicit stopping_sink(std::string at) : at_{std::move(at)} {}
  void stage_started(std::string_view name) override {
    recording_sink::stage_started(name);
    if (name == at_)
      stop.request_stop();
  }
  std::stop_source stop;

private:
  std::string at_;
};

} // namespace

TEST_CASE("a real package of the distribution passes every stage in a real container") {
  auto runner = unique_runner();
  auto driver = docker_driver{engine_options(), runner};
  auto sink = recording_sink{};
  auto outcome = driver.run(order_of(hello_spec()), sink, {});
  INFO(outcome.note);
  CHECK(outcome.result == verdict::pass);
  CHECK(outcome.why == reason::none);
  CHECK(containers_of(runner) == 0);
}

TEST_CASE("an unknown package fails to install, with the package manager's exit code") {
  auto runner = unique_runner();
  auto driver = docker_driver{engine_options(), runner};
  auto spec = hello_spec();
  spec.package_name = "no-such-package-anywhere";
  auto sink = recording_sink{};
  auto outcome = driver.run(order_of(spec), sink, {});
  CHECK(outcome.result == verdict::fail);
  CHECK(outcome.why == reason::install_failed);
  CHECK(containers_of(runner) == 0);
}

TEST_CASE("a run that is canceled while it installs leaves no container") {
  auto runner = unique_runner();
  auto driver = docker_driver{engine_options(), runner};
  auto sink = stopping_sink{"install_package"};
  auto outcome = driver.run(order_of(hello_spec()), sink, sink.stop.get_token());
  CHECK(outcome.result == verdict::canceled);
  CHECK(outcome.why == reason::canceled);
  CHECK(containers_of(runner) == 0);
}

TEST_CASE("a sweep in the middle of a run spares it, whatever list it was given") {
  auto runner = unique_runner();
  auto driver = docker_driver{engine_options(), runner};
  struct sweeping_sink : recording_sink {
    explicit sweeping_sink(docker_driver& d) : driver{d} {}
    void stage_started(std::string_view name) override {
      recording_sink::stage_started(name);
      driver.sweep({});
    }
    docker_driver& driver;
  } sink{driver};
  CHECK(driver.run(order_of(hello_spec()), sink, {}).result == verdict::pass);
}

TEST_CASE("an image of another architecture is an unsupported platform, an unreadable spec a "
          "malformed request") {
  auto driver = docker_driver{engine_options(), unique_runner()};
  auto spec = hello_spec();
  spec.dist_arch = "s390x";
  auto options = engine_options();
  options.images.policy = image_policy::never;
  auto strict = docker_driver{options, unique_runner()};
  auto sink = recording_sink{};
  CHECK(strict.run(order_of(spec), sink, {}).why == reason::unsupported_platform);
  auto order = order_of(spec);
  order.spec = "\xff\xff\xff";
  CHECK(driver.run(order, sink, {}).why == reason::malformed_request);
}
