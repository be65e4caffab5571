#pragma once

#include "actors/runners/docker/docker_driver.hpp"
#include "tests/integration/engine_fixture.hpp"
#include "tests/support/package_repository.hpp"
#include "tests/support/recording_sink.hpp"

namespace troupe::tests {

/// One package test in a real container, without a network.
struct real_run {
  docker_options options;
  test_spec spec;
  run_order order;
  recording_sink sink;
  std::stop_source stop;
  std::vector<environment_file> files = package_repository::shared().files();
  std::string container; ///< Its name.
  /// Called with the new environment before the first stage; throws if it cannot be prepared.
  std::function<void(environment&)> prepare = [](environment&) {};

  explicit real_run(const char* package) {
    options.socket = private_engine::shared().socket();
    options.limits.network = "none";
    options.limits.memory = 512 << 20;
    spec.runner_type = "docker";
    spec.dist_name = "debian";
    spec.dist_version = "12";
    spec.dist_arch = "x86_64";
    spec.package_name = package;
    spec.repositories = {{"local", "file:///srv/repo", ""}};
    order.job = new_job_id();
    order.deadline = std::chrono::minutes{5};
    container = container_name({order.job, 0});
  }

  run_outcome go() {
    auto driver = docker_driver{options, unique_runner()};
    auto start = [&]() -> caf::expected<environment_ptr> {
      auto made = driver.start(spec, order, stop.get_token());
      if (made) {
        if (auto why = (*made)->put(files))
          return why;
        prepare(**made);
      }
      return made;
    };
    return run_package_test(spec, order, start, sink, stop.get_token(), options.test);
  }

  /// True if the engine still has the container of this run.
  bool is_left() const {
    auto engine = engine_client{options.socket};
    auto reply = engine.call({"GET", "/containers/" + container + "/json", {}},
                             within(std::chrono::seconds{30}));
    return !reply || reply->status != 404;
  }
};

/// What a stage says, for a failed check.
inline std::string story(const recording_sink& sink) {
  auto out = std::string{};
  for (const auto& one : sink.stages)
    out += one.name + ": " + std::string{name_of(one.why)} + ' ' + std::to_string(one.exit_code)
           + ' ' + one.note + '\n' + (one.success ? "" : sink.logs.at(one.name));
  return out;
}

} // namespace troupe::tests
