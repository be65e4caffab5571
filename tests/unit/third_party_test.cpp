#include "actors/runners/git_checkout.hpp"
#include "actors/runners/third_party.hpp"
#include "tests/support/scripted_run.hpp"
#include "tests/support/temp_folder.hpp"

#include <catch2/catch.hpp>

#include <filesystem>
#include <fstream>

using namespace troupe;
using tests::scripted_run;

namespace {

using strings = std::vector<std::string>;

scripted_run with_script(const char* name, const char* text) {
  auto run = scripted_run{};
  run.spec.tests = {{name, text, "", "", "master", {}}};
  return run;
}

/// A program that stands in for git: it writes `tree` where a checkout would, or fails.
std::string make_git(const std::string& folder, const std::string& on_fetch,
                     const std::string& tree) {
  auto path = folder + "/git";
  std::ofstream{path} << "#!/bin/sh\necho \"$@\" >> " << folder << "/calls\n"
                      << "env > " << folder << "/env\n"
                      << "case \"$1 $3\" in\n"
                      << "  'init --') mkdir -p \"$4\" ;;\n"
                      << "  '-C fetch') " << on_fetch << " ;;\n"
                      << "  '-C checkout') cd \"$2\" && " << tree << " ;;\n"
                      << "esac\n";
  std::filesystem::permissions(path, std::filesystem::perms::owner_all);
  return path;
}

std::string text_of(const std::string& path) {
  auto in = std::ifstream{path};
  return {std::istreambuf_iterator<char>{in}, {}};
}

} // namespace

TEST_CASE("a script is executed as root with its variables and a folder for what it leaves") {
  auto run = with_script("smoke", "#!/bin/sh\nhello\n");
  run.spec.variables = {{"GREETING", "hi there", false}};
  auto entry = archive_entry{};
  entry.path = "artifacts/logs/out.txt";
  entry.size = 4;
  entry.bytes = "text";
  run.machine->readable["/troupe/artifacts"] = {entry};
  CHECK(run.go().result == verdict::pass);
  CHECK(run.machine->files["/tests/smoke/smoke"].bytes == "#!/bin/sh\nhello\n");
  CHECK(run.machine->files["/tests/smoke/smoke"].mode == 0755);
  auto command = run.machine->find("/tests/smoke/smoke");
  CHECK(command.argv.back() == "/tests/smoke/smoke");
  CHECK(command.work_dir == "/tests/smoke");
  for (auto* variable : {"GREETING=hi there", "TROUPE_ARTIFACTS=/troupe/artifacts"})
    CHECK(std::find(command.variables.begin(), command.variables.end(), variable)
          != command.variables.end());
  CHECK(run.sink.artifacts["smoke/logs/out.txt"] == "text");
}

TEST_CASE("files over the limit or with an odd name are not kept, and the log says so") {
  auto run = with_script("smoke", "#!/bin/sh\n");
  run.options.artifact_bytes = 10;
  auto big = archive_entry{};
  big.path = "artifacts/big";
  big.size = 11;
  big.bytes = "0123456789";
  auto odd = big;
  odd.path = "artifacts/../../etc/passwd";
  odd.size = odd.bytes.size();
  run.machine->readable["/troupe/artifacts"] = {big, odd};
  CHECK(run.go().result == verdict::pass);
  CHECK(run.sink.artifacts.empty());
  CHECK(run.sink.logs["third_party.smoke"].find("smoke/big is not kept") != std::string::npos);
}

TEST_CASE("the exit code decides: 0 passes, 77 skips, others fail") {
  auto skipped = with_script("smoke", "#!/bin/sh\n");
  skipped.on({"/tests/smoke", 77});
  CHECK(skipped.go().result == verdict::pass);
  CHECK(skipped.sink.find("third_party.smoke").success);
  CHECK(skipped.sink.find("third_party.smoke").note == "skipped: exit code 77");

  auto failed = with_script("smoke", "#!/bin/sh\n");
  failed.on({"/tests/smoke", 3});
  auto outcome = failed.go();
  CHECK(outcome.why == reason::test_failed);
  CHECK(outcome.note == "smoke ended with exit code 3");
  CHECK(failed.has("uninstall_package"));
}

TEST_CASE("a not ok fails the test even if it exits with 0, TODO and SKIP do not") {
  auto failed = with_script("smoke", "#!/bin/sh\n");
  failed.on({"/tests/smoke", 0, "1..2\nok 1\nnot ok 2 - greets\n"});
  auto outcome = failed.go();
  CHECK(outcome.why == reason::test_failed);
  CHECK(outcome.note == "1 of 2 not ok: greets");
  CHECK(failed.sink.find("third_party.smoke").output == "1..2\nok 1\nnot ok 2 - greets\n");

  auto fine = with_script("smoke", "#!/bin/sh\n");
  fine.on({"/tests/smoke", 0, "1..3\nok 1\nnot ok 2 - later # TODO\nok 3 # SKIP no net\n"});
  CHECK(fine.go().result == verdict::pass);

  auto crashed = with_script("smoke", "#!/bin/sh\n");
  crashed.on({"/tests/smoke", 1, "1..1\nok 1\n"});
  CHECK(crashed.go().why == reason::test_failed);
}

TEST_CASE("a test that hangs is a timeout and the next one still runs") {
  auto run = with_script("hangs", "#!/bin/sh\n");
  run.spec.tests.push_back({"works", "#!/bin/sh\n", "", "", "master", {}});
  run.on({"/tests/hangs/hangs", 137, "", "", command_result::end::timed_out});
  CHECK(run.go().why == reason::stage_timeout);
  CHECK(run.sink.find("third_party.hangs").why == reason::stage_timeout);
  CHECK(run.sink.find("third_party.works").success);
  CHECK(run.has("uninstall_package"));
}

TEST_CASE("a test that runs out of memory says so") {
  auto run = with_script("eats", "#!/bin/sh\n");
  run.on({"/tests/eats", 137, "", "", command_result::end::exited, true});
  auto outcome = run.go();
  CHECK(outcome.why == reason::oom);
  CHECK(outcome.note == "eats: out of memory");
}

TEST_CASE("a package that a test removed is installed again for the next one") {
  auto run = with_script("first", "#!/bin/sh\n");
  run.spec.tests.push_back({"second", "#!/bin/sh\n", "", "", "master", {}});
  auto installs = [&run] {
    auto lines = run.machine->lines();
    return std::count_if(lines.begin(), lines.end(), [](const auto& line) {
      return line.find("install -- hello") != std::string::npos;
    });
  };
  run.on({"/tests/first/first", 0, "", "", command_result::end::exited, false, [&run] {
            run.machine->answers.insert(run.machine->answers.begin(), {"dpkg-query", 1});
          }});
  run.go();
  CHECK(installs() == 2);
}

TEST_CASE("the executor follows the suffix, then the first line") {
  CHECK(executor_of("a.sh", "").argv == strings{"bash"});
  CHECK(executor_of("a.bats", "").argv == strings{"bats", "--tap"});
  CHECK(executor_of("a.bats", "").tool == "bats");
  CHECK(executor_of("a.py", "print()").argv == strings{"python3"});
  CHECK(executor_of("a.py", "#!/opt/python2\n").argv.empty());
  CHECK(executor_of("a", "#!/usr/bin/env python3\n").tool == "python3");
  CHECK(executor_of("a", "#!/usr/bin/perl\n").argv.empty());
  CHECK(executor_of("a", "echo").argv == strings{"bash"});
  CHECK(executor_of("a.yml", "").optional);
}

TEST_CASE("a missing tool is installed; without ansible the test is skipped") {
  auto bats = with_script("a.bats", "@test x { true; }\n");
  bats.on({"\"$1\" troupe bats", 1});
  CHECK(bats.go().result == verdict::pass);
  CHECK(bats.machine->ran("install -- bats"));

  auto playbook = with_script("a.yml", "- hosts: all\n");
  playbook.on({"\"$1\" troupe ansible-playbook", 1});
  CHECK(playbook.go().result == verdict::pass);
  CHECK(playbook.sink.find("third_party.a.yml").note
        == "skipped: ansible-playbook is not in the image");
}

TEST_CASE("tests without a name are named after their repository") {
  CHECK(third_party_names({{"", "", "https://h/x/smoke.git", "", "", {}},
                           {"smoke", "x", "", "", "", {}},
                           {"", "x", "", "", "", {}}})
        == strings{"smoke", "smoke-2", "test-2"});
}

TEST_CASE("the files of a repository are shipped whole and run in order") {
  auto folder = tests::temp_folder{};
  auto run = scripted_run{};
  run.options.work_folder = folder.path() + "/clones";
  run.options.git =
    make_git(folder.path(), "true",
             "mkdir -p t/sub && echo 'echo b' > t/b.sh && echo 'echo a' > t/a.sh && "
             "echo x > t/0_install && echo y > t/0_init && echo z > t/sub/deep.sh && "
             "echo lib > lib.txt && ln -s /etc/passwd t/link.sh");
  run.spec.tests = {{"smoke", "", "https://h/x.git", "t", "v1", {"a.sh", "b.sh"}}};
  run.on({"/tests/smoke/t/a.sh", 5});
  auto outcome = run.go();
  CHECK(outcome.why == reason::test_failed);
  CHECK(outcome.note == "a.sh: a.sh ended with exit code 5");
  auto& files = run.machine->files;
  CHECK(files["/tests/smoke/lib.txt"].bytes == "lib\n");
  CHECK(files.contains("/tests/smoke/t/sub/deep.sh"));
  CHECK_FALSE(files.contains("/tests/smoke/t/link.sh"));
  CHECK(run.sink.find("third_party.smoke").output
        == "1..4\nok 1 - 0_init\nok 2 - 0_install\nnot ok 3 - a.sh\n# a.sh ended with exit code 5\n"
           "ok 4 - b.sh\n");
  auto calls = text_of(folder.path() + "/calls");
  CHECK(calls.find("fetch --depth 1 --no-tags -- https://h/x.git v1") != std::string::npos);
  CHECK(text_of(folder.path() + "/env").find("GIT_TERMINAL_PROMPT=0") != std::string::npos);
  CHECK(std::filesystem::is_empty(run.options.work_folder));
}

TEST_CASE("a clone is tried again and then the run is retried") {
  auto folder = tests::temp_folder{};
  auto run = scripted_run{};
  run.options.work_folder = folder.path() + "/clones";
  run.options.git = make_git(folder.path(), "echo 'fatal: no host' >&2; exit 128", "true");
  run.options.git_attempts = 3;
  run.options.git_pause = std::chrono::milliseconds{1};
  run.spec.tests = {{"smoke", "", "https://h/x.git", "", "v1", {}}};
  auto outcome = run.go();
  CHECK(outcome.why == reason::git_clone_failed);
  CHECK(outcome.note == "git fetch ended with exit code 128");
  auto calls = text_of(folder.path() + "/calls");
  CHECK(std::count(calls.begin(), calls.end(), '\n') == 6);
  CHECK(run.sink.logs["third_party.smoke"].find("fatal: no host") != std::string::npos);
}

TEST_CASE("the default ref falls back to the repository's own branch") {
  auto folder = tests::temp_folder{};
  auto options = package_test_options{};
  options.work_folder = folder.path() + "/clones";
  options.git = make_git(folder.path(), "[ \"$8\" = HEAD ] || [ \"$9\" = HEAD ]", "echo x > a");
  auto files = checkout_files({"https://h/x.git", "master"}, options, {}, [](auto) {});
  REQUIRE(files);
  CHECK(files->size() == 1);
}

TEST_CASE("a change of Gerrit is fetched by its own ref") {
  CHECK(fetched_ref({"https://gerrit.h/x", "1234/5"}) == "refs/changes/34/1234/5");
  CHECK(fetched_ref({"https://gerrit.h/x", "7/1"}) == "refs/changes/07/7/1");
  CHECK(fetched_ref({"https://gerrit.h/x", "main"}) == "main");
  CHECK(fetched_ref({"https://h/x", "1234/5"}) == "1234/5");
}
