#pragma once

#include "actors/runners/environment.hpp"
#include "actors/runners/runner_driver.hpp"
#include "messages/test.hpp"

#include <chrono>
#include <functional>
#include <string>
#include <vector>

/// The test of one package, the same in every kind of environment.
/// Source: spec/testing.md 2, 6; docs/testing.md.
namespace troupe {

/// What an operator may set. Limits end a command, never the whole run.
struct package_test_options {
  std::chrono::milliseconds provision_limit{std::chrono::minutes{10}};
  std::chrono::milliseconds info_limit{std::chrono::seconds{30}}; ///< Per command.
  std::chrono::milliseconds install_limit{std::chrono::minutes{10}};
  std::chrono::milliseconds integrity_limit{std::chrono::minutes{30}};
  std::chrono::milliseconds third_party_limit{std::chrono::minutes{30}}; ///< Per file.
  std::chrono::milliseconds uninstall_limit{std::chrono::minutes{10}};
  bool integrity_tests = true;
  bool fail_fast = false;    ///< An integrity failure ends the run.
  bool upgrade = false;      ///< Upgrade every package of the image first.
  bool force_ipv4 = false;   ///< Package managers use IPv4 only.
  std::string package_proxy; ///< "http://proxy:3128" for apt, dnf and yum.
  std::vector<std::string> uninstall_excluded{"almalinux-release", "kernel", "dnf"};
  std::string skip_list; ///< File, read for each run; see `skip_list.hpp`.
  std::string git = "/usr/bin/git";
  uint32_t git_attempts = 5;
  std::chrono::milliseconds git_limit{std::chrono::minutes{5}}; ///< Per attempt.
  std::chrono::milliseconds git_pause{std::chrono::seconds{5}}; ///< Between attempts.
  std::string work_folder; ///< Private, for clones; empty = under the system's temporary folder.
  uint64_t artifact_bytes = 64 << 20; ///< Of all files that one test leaves.
  uint64_t binary_bytes = 64 << 20;   ///< Larger ELF files are checked by ldd alone.
};

/// Overwrites what `in` sets. Faults are collected by the section.
void read_options(section& in, package_test_options& out);

/// Makes a fresh environment. Errors: `ec::not_found` = there is no such image and
/// it cannot be pulled; `ec::canceled`; anything else = it did not start.
using environment_start = std::function<caf::expected<environment_ptr>()>;

/// Runs every stage of a package test and removes the environment at the end.
///
/// Stages, in order: start_environment, initial_provision, system_info, install_package,
/// tests.package_integrity_tests, third_party.<name> for each test, uninstall_package,
/// stop_environment. What could not run is not reported; what the skip list takes
/// out is reported as a success with `reason::package_rejected`.
/// Threads: blocks; `start` and `sink` are called by the same thread. Ends within 2 s of `stop`.
run_outcome run_package_test(const test_spec& spec, const run_order& order,
                             const environment_start& start, run_sink& sink, std::stop_token stop,
                             const package_test_options& options);

} // namespace troupe
