#include "tests/integration/package_fixture.hpp"

#include <catch2/catch.hpp>

#include <fstream>

using namespace troupe;
using tests::real_run;

TEST_CASE("a good package passes every stage in a real container that is gone afterwards") {
  auto run = real_run{"troupe-good"};
  run.spec.package_version = "1.0-1";
  run.spec.tests = {{"smoke",
                     "#!/bin/sh\necho 1..2\ntroupe-good && echo ok 1 - runs\n"
                     "echo \"$GREETING\" > \"$TROUPE_ARTIFACTS/greeting\" && echo ok 2 - keeps\n",
                     "",
                     "",
                     "master",
                     {}}};
  run.spec.variables = {{"GREETING", "good morning", false}};
  auto outcome = run.go();
  INFO(tests::story(run.sink));
  CHECK(outcome.result == verdict::pass);
  CHECK(run.sink.names()
        == std::vector<std::string>{"start_environment", "initial_provision", "system_info",
                                    "install_package", "tests.package_integrity_tests",
                                    "third_party.smoke", "uninstall_package", "stop_environment"});
  CHECK(run.sink.find("tests.package_integrity_tests").output
        == "1..4\nok 1 - test_package_is_installed\nok 2 - test_all_package_files_exist\n"
           "ok 3 - test_binaries_have_all_dependencies\nok 4 - test_check_rpath_is_correct\n");
  CHECK(run.sink.find("third_party.smoke").output == "1..2\ngood\nok 1 - runs\nok 2 - keeps\n");
  CHECK(run.sink.artifacts["smoke/greeting"] == "good morning\n");
  CHECK(run.sink.logs["system_info"].find("uname -a") != std::string::npos);
  CHECK_FALSE(run.is_left());
}

TEST_CASE("a broken package fails with its three broken files, and later stages still run") {
  auto run = real_run{"troupe-bad"};
  run.spec.tests = {{"after", "#!/bin/sh\nexit 0\n", "", "", "master", {}}};
  auto outcome = run.go();
  INFO(tests::story(run.sink));
  CHECK(outcome.why == reason::integrity_failed);
  CHECK(outcome.note
        == "/usr/share/troupe-bad/broken is a dangling symlink to /nonexistent/target; "
           "/usr/lib/troupe-bad/needs needs libtroupemissing.so, which is missing; "
           "/usr/lib/troupe-bad/plugin.so has RUNPATH \"/opt/troupe:\" with an empty element");
  CHECK(run.sink.find("third_party.after").success);
  CHECK(run.sink.find("uninstall_package").success);
  CHECK_FALSE(run.is_left());
}

TEST_CASE("without ldd the same library is found missing") {
  auto run = real_run{"troupe-bad"};
  run.prepare = [](environment& where) { tests::run_in(where, {"rm", "/usr/bin/ldd"}); };
  auto outcome = run.go();
  INFO(tests::story(run.sink));
  CHECK(outcome.why == reason::integrity_failed);
  CHECK(outcome.note.find("/usr/lib/troupe-bad/needs needs libtroupemissing.so, which is missing")
        != std::string::npos);
  CHECK(outcome.note.find("more") == std::string::npos);
}

TEST_CASE("an unknown package or version is an install failure with apt's exit code") {
  auto unknown = real_run{"troupe-unknown"};
  CHECK(unknown.go().why == reason::install_failed);
  CHECK(unknown.sink.find("install_package").exit_code == 100);
  CHECK(unknown.sink.logs["install_package"].find("Unable to locate package troupe-unknown")
        != std::string::npos);
  CHECK_FALSE(unknown.is_left());

  auto version = real_run{"troupe-good"};
  version.spec.package_version = "9.9";
  CHECK(version.go().why == reason::install_failed);
  CHECK(version.sink.find("install_package").exit_code == 100);
}

TEST_CASE("a repository that is not there is retried") {
  auto run = real_run{"troupe-good"};
  run.spec.repositories[0].url = "file:///srv/elsewhere";
  CHECK(run.go().why == reason::repo_unreachable);
}

TEST_CASE("a test that never ends is killed with its children, and the next one still runs") {
  auto run = real_run{"troupe-good"};
  run.options.test.third_party_limit = std::chrono::seconds{3};
  run.spec.tests = {
    {"hangs",
     "#!/bin/sh\ntrap '' TERM\n(trap '' TERM; sleep 4242) &\nsetsid sleep 4242 &\n"
     "sleep 4242\nsleep 4242\n",
     "",
     "",
     "master",
     {}},
    {"looks",
     "#!/bin/sh\nfor f in /proc/[0-9]*/cmdline; do\n"
     "  tr '\\0' ' ' < $f 2>/dev/null | grep -q '^sleep 4242' && exit 1\ndone\nexit 0\n",
     "",
     "",
     "master",
     {}}};
  auto outcome = run.go();
  INFO(tests::story(run.sink));
  CHECK(outcome.why == reason::stage_timeout);
  CHECK(run.sink.find("third_party.hangs").why == reason::stage_timeout);
  CHECK(run.sink.find("third_party.looks").success);
  CHECK(run.sink.find("uninstall_package").success);
  CHECK_FALSE(run.is_left());
}

TEST_CASE("canceling while a package installs ends the run and removes the container") {
  class canceling_sink final : public run_sink {
  public:
    explicit canceling_sink(std::stop_source stop) : stop_{std::move(stop)} {}
    std::string log;
    std::string last;
    void stage_started(std::string_view) override {}
    void output(std::string_view bytes) override {
      log += bytes;
      if (log.find("postinst sleeps") != std::string::npos)
        stop_.request_stop();
    }
    void stage_finished(stage what) override {
      last = what.name;
    }
    void mask(std::string_view) override {}
    void artifact(std::string_view, std::string_view) override {}

  private:
    std::stop_source stop_;
  };
  auto run = real_run{"troupe-slow"};
  auto sink = canceling_sink{run.stop};
  auto driver = docker_driver{run.options, tests::unique_runner()};
  auto start = [&]() -> caf::expected<environment_ptr> {
    auto made = driver.start(run.spec, run.order, run.stop.get_token());
    if (made && (*made)->put(run.files))
      return fault(ec::unavailable, "no repository");
    return made;
  };
  auto outcome =
    run_package_test(run.spec, run.order, start, sink, run.stop.get_token(), run.options.test);
  INFO(sink.log);
  CHECK(outcome.why == reason::canceled);
  CHECK(sink.last == "stop_environment");
  CHECK_FALSE(run.is_left());
}

TEST_CASE("the run's own time counts for more than that of a stage") {
  auto run = real_run{"troupe-slow"};
  run.order.deadline = std::chrono::seconds{15};
  CHECK(run.go().why == reason::task_timeout);
  CHECK_FALSE(run.is_left());
}

TEST_CASE("skips of the list, exit code 77 and TAP directives fail nothing") {
  auto folder = tests::temp_folder{};
  auto path = folder.path() + "/skip.json";
  std::ofstream{path}
    << R"([{"package": "troupe-*", "dist": "debian-12", "stages": ["third_party.listed"],
                              "reason": "needs a network"}])";
  auto run = real_run{"troupe-good"};
  run.options.test.skip_list = path;
  run.spec.tests = {
    {"listed", "#!/bin/sh\nexit 1\n", "", "", "master", {}},
    {"unable", "#!/bin/sh\nexit 77\n", "", "", "master", {}},
    {"directives",
     "#!/bin/sh\nprintf '1..2\\nnot ok 1 - a # TODO later\\nnot ok 2 - b # SKIP no\\n'\n",
     "",
     "",
     "master",
     {}}};
  auto outcome = run.go();
  INFO(tests::story(run.sink));
  CHECK(outcome.result == verdict::pass);
  CHECK(run.sink.find("third_party.listed").why == reason::package_rejected);
  CHECK(run.sink.find("third_party.unable").exit_code == 77);
  CHECK(run.sink.find("third_party.directives").success);
}

TEST_CASE("50 MB of output pass through, and secrets were announced before") {
  auto run = real_run{"troupe-good"};
  run.spec.variables = {{"TOKEN", "s3cret-value", true}};
  run.spec.tests = {{"talks",
                     "#!/bin/sh\nenv | grep TOKEN\nhead -c 50000000 /dev/zero | tr '\\0' x\n",
                     "",
                     "",
                     "master",
                     {}}};
  auto outcome = run.go();
  CHECK(outcome.result == verdict::pass);
  CHECK(run.sink.logs["third_party.talks"].size() > 50'000'000);
  CHECK(run.sink.secrets == std::vector<std::string>{"s3cret-value"});
}
