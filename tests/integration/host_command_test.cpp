#include "actors/runners/git_checkout.hpp"
#include "actors/runners/host_command.hpp"
#include "tests/support/child_process.hpp"
#include "tests/support/slurp.hpp"
#include "tests/support/temp_folder.hpp"

#include <catch2/catch.hpp>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

using namespace troupe;

namespace {

/// Whether a process has ended; nobody here may be waiting for it.
bool has_ended(const std::string& pid) {
  auto state = tests::slurp("/proc/" + pid + "/stat");
  return state.empty() || state.find(") Z") != std::string::npos;
}

} // namespace

TEST_CASE("a program of this host ends at its limit with all its children") {
  auto folder = tests::temp_folder{};
  auto script = folder.path() + "/hangs";
  std::ofstream{script} << "#!/bin/sh\ntrap '' TERM\nsleep 600 &\necho $!\nwait\nsleep 600\n";
  std::filesystem::permissions(script, std::filesystem::perms::owner_all);
  auto text = std::string{};
  auto result = run_on_host({{script}, {"PATH=/usr/bin:/bin"}, "/", std::chrono::seconds{1}}, {},
                            [&text](std::string_view bytes) { text += bytes; });
  CHECK(result.how == command_result::end::timed_out);
  CHECK(result.exit_code == 137);
  REQUIRE_FALSE(text.empty());
  // The group was killed; a member may take a moment to go.
  auto child = text.substr(0, text.find('\n'));
  CHECK(tests::await(std::chrono::seconds{20}, [&child] { return has_ended(child); }));
}

TEST_CASE("a program of this host ends at once when asked to stop") {
  auto stop = std::stop_source{};
  auto result =
    run_on_host({{"/bin/sh", "-c", "echo started; exec sleep 600"}, {}, "/", std::chrono::hours{1}},
                stop.get_token(), [&stop](std::string_view) { stop.request_stop(); });
  CHECK(result.how == command_result::end::canceled);
  CHECK(result.exit_code == 143);
}

TEST_CASE("a program that does not exist was not started") {
  auto result =
    run_on_host({{"/nonexistent/git"}, {}, "/", std::chrono::seconds{1}}, {}, [](auto) {});
  CHECK(result.how == command_result::end::infra);
}

TEST_CASE("a program of this host dies with the process that started it") {
  auto folder = tests::temp_folder{};
  auto note = folder.path() + "/pid";
  auto caller = fork();
  if (caller == 0) {
    run_on_host(
      {{"/bin/sh", "-c", "trap '' TERM HUP; echo $$ > " + note + "; while :; do sleep 1; done"},
       {"PATH=/usr/bin:/bin"},
       "/",
       std::chrono::hours{1}},
      {}, [](auto) {});
    _exit(0);
  }
  auto started =
    tests::await(std::chrono::seconds{20}, [&] { return !tests::slurp(note).empty(); });
  kill(caller, SIGKILL);
  waitpid(caller, nullptr, 0);
  REQUIRE(started);
  auto pid = std::to_string(std::stoi(tests::slurp(note)));
  CHECK(tests::await(std::chrono::seconds{20}, [&pid] { return has_ended(pid); }));
}

TEST_CASE("both streams of a program of this host come in the order of their writing") {
  auto text = std::string{};
  auto result = run_on_host({{"/bin/sh", "-c", "echo a; echo b >&2; echo c; echo d >&2; pwd"},
                             {},
                             "/usr",
                             std::chrono::hours{1}},
                            {}, [&text](std::string_view bytes) { text += bytes; });
  CHECK(result.how == command_result::end::exited);
  CHECK(text == "a\nb\nc\nd\n/usr\n");
}

TEST_CASE("a clone that its node did not survive is swept away") {
  auto folder = tests::temp_folder{};
  auto options = package_test_options{};
  options.work_folder = folder.path() + "/work";
  options.git = folder.path() + "/git";
  auto note = folder.path() + "/pid";
  std::ofstream{options.git} << "#!/bin/sh\nsleep 300 &\necho $! > " << note << "\nwait\n";
  std::filesystem::permissions(options.git, std::filesystem::perms::owner_all);
  auto caller = fork();
  if (caller == 0) {
    checkout_files({"https://h/x.git", "master"}, options, {}, [](auto) {});
    _exit(0);
  }
  auto started =
    tests::await(std::chrono::seconds{20}, [&] { return !tests::slurp(note).empty(); });
  // A living clone is none of the sweep's business.
  sweep_clones(options.work_folder);
  auto clones = [&options] {
    auto out = 0;
    for (const auto& entry : std::filesystem::directory_iterator{options.work_folder})
      out += entry.path().filename().string().rfind("troupe-clone-", 0) == 0 ? 1 : 0;
    return out;
  };
  CHECK(clones() == 1);
  kill(caller, SIGKILL);
  waitpid(caller, nullptr, 0);
  REQUIRE(started);
  auto pid = std::to_string(std::stoi(tests::slurp(note)));
  CHECK_FALSE(has_ended(pid));
  auto strange = std::filesystem::path{options.work_folder} / "troupe-clone-of-mine";
  std::filesystem::create_directory(strange);
  sweep_clones(options.work_folder);
  CHECK(has_ended(pid));
  CHECK(clones() == 1);
  CHECK(std::filesystem::exists(strange));
}
