#pragma once

#include "actors/runners/package_test.hpp"
#include "tests/support/recording_sink.hpp"
#include "tests/support/scripted_environment.hpp"

#include <algorithm>

namespace troupe::tests {

/// One package test on a scripted machine: of `hello` on Debian 12, where all goes well.
struct scripted_run {
  test_spec spec;
  run_order order;
  package_test_options options;
  std::shared_ptr<scripted_machine> machine = std::make_shared<scripted_machine>();
  recording_sink sink;
  std::stop_source stop;
  caf::error start_fault;
  bool started = false;

  scripted_run() {
    spec.runner_type = "docker";
    spec.dist_name = "debian";
    spec.dist_version = "12";
    spec.dist_arch = "x86_64";
    spec.package_name = "hello";
    order.deadline = std::chrono::hours{1};
  }

  /// From now on commands with `answer.when` are answered so; later calls go first.
  void on(scripted_answer answer) {
    machine->answers.insert(machine->answers.begin(), std::move(answer));
  }

  run_outcome go() {
    // What stands behind everything that a test says itself.
    machine->answers.push_back({"dpkg-query", 0, "installed 2.10-3\n"});
    machine->answers.push_back({"dpkg -L", 0, "/.\n/usr\n/usr/bin/hello\n"});
    machine->answers.push_back({"package.files", 0, "folder\nfile\n"});
    machine->answers.push_back({"rpm -q --qf", 0, "2.10-3.el9 (none)\n"});
    machine->answers.push_back({"rpm -ql", 0, "/usr\n/usr/bin/hello\n"});
    auto start = [this]() -> caf::expected<environment_ptr> {
      started = true;
      if (start_fault)
        return start_fault;
      return environment_ptr{std::make_unique<scripted_environment>(machine)};
    };
    return run_package_test(spec, order, start, sink, stop.get_token(), options);
  }

  /// True if a stage of this name was reported.
  bool has(std::string_view name) const {
    return sink.find(name).finished;
  }
};

} // namespace troupe::tests
