#include "tests/support/elf_builder.hpp"
#include "tests/support/scripted_run.hpp"
#include "tests/support/temp_folder.hpp"

#include <catch2/catch.hpp>

#include <fstream>

using namespace troupe;
using tests::scripted_run;

namespace {

using strings = std::vector<std::string>;

void check(const run_outcome& outcome, reason why) {
  CHECK(name_of(outcome.why) == name_of(why));
  CHECK(name_of(outcome.result) == name_of(verdict_of(why)));
}

third_party_test script(const char* name) {
  return {name, "#!/bin/sh\nexit 0\n", "", "", "master", {}};
}

} // namespace

TEST_CASE("a good package passes every stage in order and its environment is removed") {
  auto run = scripted_run{};
  run.spec.tests = {script("smoke"), script("")};
  auto outcome = run.go();
  check(outcome, reason::none);
  CHECK(run.sink.names()
        == strings{"start_environment", "initial_provision", "system_info", "install_package",
                   "tests.package_integrity_tests", "third_party.smoke", "third_party.test-1",
                   "uninstall_package", "stop_environment"});
  for (const auto& one : run.sink.stages)
    CHECK(one.success);
  CHECK(run.sink.breaches.empty());
  CHECK(run.machine->destroyed);
  CHECK(run.sink.find("tests.package_integrity_tests").output.starts_with("1..4\nok 1 - "));
}

TEST_CASE("what is malformed starts nothing") {
  auto run = scripted_run{};
  run.spec.package_name = "a;b";
  check(run.go(), reason::malformed_request);
  CHECK_FALSE(run.started);
  CHECK(run.sink.stages.empty());
}

TEST_CASE("an unknown distribution is an unsupported platform") {
  auto run = scripted_run{};
  run.spec.dist_name = "plan9";
  check(run.go(), reason::unsupported_platform);
  CHECK_FALSE(run.started);
}

TEST_CASE("an environment that does not start is retried, a missing image under its own name") {
  auto broken = scripted_run{};
  broken.start_fault = fault(ec::unavailable, "the engine is down");
  auto outcome = broken.go();
  check(outcome, reason::env_start_failed);
  CHECK(outcome.note == "the engine is down");
  CHECK(broken.sink.names() == strings{"start_environment"});

  auto missing = scripted_run{};
  missing.start_fault = fault(ec::not_found, "no such image");
  check(missing.go(), reason::image_pull_failed);

  auto canceled = scripted_run{};
  canceled.start_fault = fault(ec::canceled, "stopped");
  check(canceled.go(), reason::canceled);
}

TEST_CASE("mirrors that cannot be read are retried, a missing apt is a broken image") {
  auto run = scripted_run{};
  run.on({"update", 100, "", "Err:1 http://mirror\n"});
  check(run.go(), reason::repo_unreachable);
  CHECK(run.sink.find("initial_provision").exit_code == 100);
  CHECK(run.sink.logs["initial_provision"].find("Err:1") != std::string::npos);
  CHECK_FALSE(run.has("install_package"));
  CHECK(run.has("stop_environment"));

  auto slow = scripted_run{};
  slow.on({"update", 137, "", "", command_result::end::timed_out});
  check(slow.go(), reason::repo_unreachable);

  auto bare = scripted_run{};
  bare.on({"update", 127});
  check(bare.go(), reason::provision_failed);
}

TEST_CASE("an install failure ends the run with the tool's exit code") {
  auto run = scripted_run{};
  run.on({"install -- hello", 100, "", "E: Unable to locate package hello\n"});
  auto outcome = run.go();
  check(outcome, reason::install_failed);
  CHECK(outcome.note == "apt-get install ended with exit code 100");
  CHECK(run.sink.find("install_package").exit_code == 100);
  CHECK(run.sink.names().back() == "stop_environment");
  CHECK_FALSE(run.has("tests.package_integrity_tests"));
  CHECK_FALSE(run.has("uninstall_package"));
  CHECK(run.machine->destroyed);
}

TEST_CASE("what the system cannot show never fails the run") {
  auto run = scripted_run{};
  run.on({"System info", 1});
  check(run.go(), reason::none);
  auto slow = scripted_run{};
  slow.on({"System info", 137, "", "", command_result::end::timed_out});
  check(slow.go(), reason::none);
}

TEST_CASE("an integrity failure names three files and later stages still run") {
  auto run = scripted_run{};
  run.spec.tests = {script("smoke")};
  run.on({"dpkg -L", 0, "/.\n/b/link\n/b/gone\n/b/lib.so\n/b/tool\n"});
  run.on({"package.files", 0, "dangling /nowhere\nmissing\nelf\nelf\n"});
  run.on({"package.binaries", 0, " \tlibtroupemissing.so => not found\n0 ends 0\n1 ends 0\n"});
  run.machine->add_file("/b/lib.so",
                        tests::elf_builder{true, false, {{1, "libtroupemissing.so"}}}.build());
  run.machine->add_file("/b/tool",
                        tests::elf_builder{false, true, {{1, "libc.so.6"}, {29, "/opt:"}}}.build());
  auto outcome = run.go();
  check(outcome, reason::integrity_failed);
  CHECK(outcome.note
        == "/b/link is a dangling symlink to /nowhere; /b/gone does not exist; "
           "/b/lib.so needs libtroupemissing.so, which is missing; and 1 more");
  auto stage = run.sink.find("tests.package_integrity_tests");
  CHECK(stage.output.find("not ok 2 - test_all_package_files_exist") != std::string::npos);
  CHECK(stage.output.find("not ok 3 - test_binaries_have_all_dependencies") != std::string::npos);
  CHECK(stage.output.find("not ok 4 - test_check_rpath_is_correct\n# /b/tool has RUNPATH \"/opt:\"")
        != std::string::npos);
  CHECK(run.sink.find("third_party.smoke").success);
  CHECK(run.sink.find("uninstall_package").success);
}

TEST_CASE("with fail_fast an integrity failure ends the run") {
  auto run = scripted_run{};
  run.options.fail_fast = true;
  run.on({"package.files", 0, "folder\nmissing\n"});
  check(run.go(), reason::integrity_failed);
  CHECK_FALSE(run.has("uninstall_package"));
  CHECK(run.has("stop_environment"));
}

TEST_CASE("another version than asked for is an integrity failure") {
  auto run = scripted_run{};
  run.spec.package_version = "2.10-4";
  auto outcome = run.go();
  check(outcome, reason::integrity_failed);
  CHECK(outcome.note == "version 2.10-3 of hello is installed instead of 2.10-4");
}

TEST_CASE("a package that is not installed is an integrity failure") {
  auto run = scripted_run{};
  run.on({"dpkg-query", 0, "config-files 2.10-3\n"});
  auto outcome = run.go();
  check(outcome, reason::integrity_failed);
  CHECK(run.sink.find("tests.package_integrity_tests")
          .output.find("ok 2 - test_all_package_files_exist # SKIP")
        != std::string::npos);
}

TEST_CASE("a package of debug files is not looked into") {
  auto run = scripted_run{};
  run.spec.package_name = "hello-dbgsym";
  run.on({"package.files", 0, "missing\n"});
  check(run.go(), reason::none);
  CHECK_FALSE(run.machine->ran("dpkg -L"));
}

TEST_CASE("without ldd the libraries are searched as the loader does") {
  auto run = scripted_run{};
  run.on({"dpkg -L", 0, "/b/tool\n"});
  run.on({"package.files", 0, "elf\n"});
  run.on({"package.binaries", 127});
  auto no = std::string{};
  for (auto i = 0; i < 6; ++i)
    no += "no\n";
  run.on({"package.libraries", 0, no + "yes\n" + no.substr(0, 15)});
  run.machine->add_file("/b/tool",
                        tests::elf_builder{true, false, {{1, "liba.so"}, {1, "libb.so"}}}.build());
  auto outcome = run.go();
  check(outcome, reason::integrity_failed);
  CHECK(outcome.note == "/b/tool needs liba.so, which is missing");
}

TEST_CASE("files that the packager cannot list are an integrity failure") {
  auto run = scripted_run{};
  run.on({"dpkg -L", 1, "", "dpkg-query: package 'hello' is not installed\n"});
  auto outcome = run.go();
  check(outcome, reason::integrity_failed);
  CHECK(outcome.note == "dpkg -L ended with exit code 1");
}

TEST_CASE("a listing that does not fit is the environment's fault") {
  auto run = scripted_run{};
  run.on({"package.files", 0, "folder\n"});
  check(run.go(), reason::exec_infra);
}

TEST_CASE("a lost environment ends the run for a retry, and the rest is removed") {
  auto run = scripted_run{};
  run.on({"install -- hello", 0, "", "", command_result::end::lost});
  check(run.go(), reason::env_lost);
  CHECK(run.sink.names().back() == "stop_environment");
  CHECK(run.machine->destroyed);
}

TEST_CASE("a command that the engine cannot start is retried") {
  auto run = scripted_run{};
  run.on({"install -- hello", 125, "", "", command_result::end::infra});
  check(run.go(), reason::exec_infra);
}

TEST_CASE("files that cannot be put mean a lost environment") {
  auto run = scripted_run{};
  run.machine->put_fault = fault(ec::unavailable, "no such container");
  check(run.go(), reason::env_lost);
}

TEST_CASE("the first decisive reason stands") {
  auto run = scripted_run{};
  run.on({"package.files", 0, "folder\nmissing\n"});
  run.on({"dpkg -r", 1});
  check(run.go(), reason::integrity_failed);
  CHECK(run.sink.find("uninstall_package").why == reason::uninstall_failed);
}

TEST_CASE("a killed install that ran out of memory says so") {
  auto run = scripted_run{};
  run.on({"install -- hello", 137, "", "", command_result::end::exited, true});
  auto outcome = run.go();
  check(outcome, reason::oom);
  CHECK(outcome.note == "apt-get install: out of memory");
}

TEST_CASE("a stage over its limit is a timeout") {
  auto run = scripted_run{};
  run.options.install_limit = std::chrono::seconds{20};
  run.on({"install -- hello", 137, "", "", command_result::end::timed_out});
  check(run.go(), reason::stage_timeout);
  auto limit = run.machine->find("install -- hello").limit;
  CHECK(limit <= std::chrono::seconds{20});
  CHECK(limit >= std::chrono::seconds{1});
}

TEST_CASE("a command that ends because the run's time is over ends the run") {
  auto run = scripted_run{};
  run.order.deadline = std::chrono::seconds{30};
  run.on({"install -- hello", 137, "", "", command_result::end::timed_out});
  auto outcome = run.go();
  check(outcome, reason::task_timeout);
  CHECK(run.machine->find("install -- hello").limit <= std::chrono::seconds{30});
  CHECK(run.sink.names().back() == "stop_environment");
}

TEST_CASE("the spec's own limit replaces those of the stages") {
  auto run = scripted_run{};
  run.spec.stage_timeout = std::chrono::seconds{7};
  run.spec.tests = {script("smoke")};
  run.go();
  CHECK(run.machine->find("install -- hello").limit <= std::chrono::seconds{7});
  CHECK(run.machine->find("/tests/smoke/smoke").limit == std::chrono::seconds{7});
}

TEST_CASE("canceling while it installs ends the run at once and removes the environment") {
  auto run = scripted_run{};
  run.on({"install -- hello", 0, "", "", command_result::end::exited, false,
          [&run] { run.stop.request_stop(); }});
  check(run.go(), reason::canceled);
  CHECK(run.sink.names().back() == "stop_environment");
  CHECK_FALSE(run.has("tests.package_integrity_tests"));
  CHECK(run.machine->destroyed);
}

TEST_CASE("canceling counts for more than a failure before it") {
  auto run = scripted_run{};
  run.on({"package.files", 0, "folder\nmissing\n"});
  run.on({"dpkg -r", 0, "", "", command_result::end::exited, false,
          [&run] { run.stop.request_stop(); }});
  check(run.go(), reason::canceled);
}

TEST_CASE("an environment that cannot be removed does not change the verdict") {
  auto run = scripted_run{};
  run.machine->destroy_fault = fault(ec::unavailable, "busy");
  check(run.go(), reason::none);
  CHECK_FALSE(run.sink.find("stop_environment").success);
  CHECK(run.sink.find("stop_environment").note == "left to the reaper: busy");
}

TEST_CASE("a package on the skip list is rejected before anything starts") {
  auto folder = tests::temp_folder{};
  auto path = folder.path() + "/skip.json";
  std::ofstream{path} << R"([{"package": "hel*", "dist": "debian-*", "reason": "known to hang"}])";
  auto run = scripted_run{};
  run.options.skip_list = path;
  auto outcome = run.go();
  check(outcome, reason::package_rejected);
  CHECK(outcome.note == "skipped: known to hang");
  CHECK_FALSE(run.started);
}

TEST_CASE("stages on the skip list are recorded as skipped") {
  auto folder = tests::temp_folder{};
  auto path = folder.path() + "/skip.json";
  std::ofstream{path}
    << R"([{"package": "hello", "stages": ["third_party.sm*", "uninstall_package"]}])";
  auto run = scripted_run{};
  run.options.skip_list = path;
  run.spec.tests = {script("smoke"), script("other")};
  check(run.go(), reason::none);
  CHECK(run.sink.find("third_party.smoke").why == reason::package_rejected);
  CHECK(run.sink.find("third_party.smoke").success);
  CHECK(run.sink.find("third_party.other").why == reason::none);
  CHECK(run.machine->ran("/tests/other/other"));
  CHECK_FALSE(run.machine->ran("/tests/smoke/smoke"));
  CHECK_FALSE(run.machine->ran("dpkg -r"));
}

TEST_CASE("a run of which everything is skipped is neutral") {
  auto folder = tests::temp_folder{};
  auto path = folder.path() + "/skip.json";
  std::ofstream{path} << R"([{"package": "hello", "stages": ["*"]}])";
  auto run = scripted_run{};
  run.options.skip_list = path;
  check(run.go(), reason::package_rejected);
  CHECK(run.started);
}

TEST_CASE("a skip list that cannot be read skips nothing") {
  auto run = scripted_run{};
  run.options.skip_list = "/nonexistent/skip.json";
  check(run.go(), reason::none);
}

TEST_CASE("secrets are announced before anything runs") {
  auto run = scripted_run{};
  run.spec.package_name = "a;b";
  run.spec.variables = {{"TOKEN", "s3cret-value", true}};
  run.go();
  CHECK(run.sink.secrets == strings{"s3cret-value"});
}
