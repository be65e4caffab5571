#include "tests/integration/engine_fixture.hpp"

#include <catch2/catch.hpp>

#include <atomic>
#include <thread>

using namespace troupe;
using namespace troupe::tests;
using namespace std::chrono_literals;

using end = command_result::end;

namespace {

/// Forks children inside and outside its process group; all of them ignore TERM.
constexpr auto stubborn = R"(
trap '' TERM
sh -c 'trap "" TERM; while :; do sleep 100; done' &
setsid sh -c 'trap "" TERM; echo apart; while :; do sleep 100; done' &
echo started
while :; do sleep 100; done
)";

command for_seconds(std::vector<std::string> argv, std::chrono::seconds limit) {
  return {.argv = std::move(argv), .variables = {}, .limit = limit};
}

/// Returns the command lines of all processes but init, the main one and the question.
std::string processes(environment& where) {
  return run_in(where, {"sh", "-c", R"(
    read -r main </run/troupe-main.pid
    for dir in /proc/[0-9]*; do
      pid=${dir#/proc/}
      case $pid in 1|$main|$$) continue ;; esac
      read -r line <$dir/stat && echo "$line"
    done)"})
    .out;
}

bool container_exists(const std::string& id) {
  auto engine = engine_client{private_engine::shared().socket()};
  auto reply = engine.call({"GET", "/containers/" + id + "/json", {}}, within(30s));
  return reply && reply->status == 200;
}

} // namespace

TEST_CASE("the deadline ends a script that ignores TERM and forks, and nothing of it is left") {
  auto box = started_container();
  auto got = run_in(*box, for_seconds({"sh", "-c", stubborn}, 1s));
  CHECK(got.result.how == end::timed_out);
  CHECK(got.out.find("started\n") != std::string::npos);
  CHECK(got.out.find("apart\n") != std::string::npos);
  CHECK(processes(*box).empty());
  // The next stage is possible.
  CHECK(run_in(*box, {"true"}).result.exit_code == 0);
}

TEST_CASE(
  "a script that obeys TERM at the deadline may tidy up, and what left its group goes too") {
  auto box = started_container();
  auto script =
    "trap 'echo tidy; exit 0' TERM; setsid sleep 1000 & echo on; while :; do sleep 0.1; done";
  auto got = run_in(*box, for_seconds({"sh", "-c", script}, 1s));
  CHECK(got.result.how == end::timed_out);
  CHECK(got.out == "on\ntidy\n");
  CHECK(processes(*box).empty());
}

TEST_CASE("a stop request ends a command that ignores TERM, and the container goes at once") {
  auto box = started_container();
  auto id = box->id();
  auto stop = std::stop_source{};
  auto result = box->exec(for_seconds({"sh", "-c", stubborn}, 600s), stop.get_token(),
                          [&stop](int, std::string_view text) {
                            if (text.find("apart") != std::string_view::npos)
                              stop.request_stop();
                          });
  CHECK(result.how == end::canceled);
  CHECK_FALSE(box->destroy());
  CHECK_FALSE(container_exists(id));
}

TEST_CASE("a stop request ends a command that floods its output") {
  auto box = started_container();
  auto stop = std::stop_source{};
  auto seen = uint64_t{0};
  auto result =
    box->exec(for_seconds({"yes"}, 600s), stop.get_token(), [&](int, std::string_view text) {
      seen += text.size();
      if (seen > 10 << 20)
        stop.request_stop();
    });
  CHECK(result.how == end::canceled);
}

TEST_CASE("a stop request before the start runs nothing") {
  auto box = started_container();
  auto stop = std::stop_source{};
  stop.request_stop();
  auto got = run_in(*box, command{.argv = {"touch", "/ran"}, .variables = {}}, stop.get_token());
  CHECK(got.result.how == end::canceled);
  CHECK(run_in(*box, {"test", "-e", "/ran"}).result.exit_code == 1);
}

TEST_CASE("a fork bomb meets the process limit, ends at its deadline and leaves nothing") {
  auto order = some_order();
  order.limits.pids = 64;
  auto box = started_container(order);
  auto id = box->id();
  auto script = "bomb() { bomb | bomb & }; trap '' TERM; bomb; while :; do sleep 1; done";
  auto got = run_in(*box, for_seconds({"sh", "-c", script}, 2s));
  // The shell may give up by itself when it cannot fork.
  CHECK((got.result.how == end::timed_out || got.result.exit_code != 0));
  CHECK_FALSE(box->destroy());
  CHECK_FALSE(container_exists(id));
  CHECK(run_in(*started_container(), {"true"}).result.exit_code == 0);
}

TEST_CASE("an exec that the process limit refuses is an infrastructure failure") {
  auto order = some_order();
  order.limits.pids = 32;
  auto box = started_container(order);
  // Takes every process there is, and each one that comes free.
  auto greedy = "while (1) { my $p = fork(); select(undef, undef, undef, 0.01) unless defined $p; "
                "if (defined $p && !$p) { sleep 1000; exit } }";
  run_in(*box, {"sh", "-c", R"(setsid perl -e "$0" >/dev/null 2>&1 &)", greedy});
  auto got = command_outcome{};
  CHECK(await(30s, [&] {
    got = run_in(*box, {"true"});
    return got.result.how == end::infra;
  }));
  CHECK_FALSE(got.result.detail.empty());
}

TEST_CASE("a gibibyte under a limit of 64 MiB is reported as out of memory") {
  auto order = some_order();
  order.limits.memory = 64 << 20;
  auto box = started_container(order);
  auto greedy = std::vector<std::string>{"perl", "-e", "my $x = 'x' x (1 << 30); print length $x"};
  auto got = run_in(*box, greedy);
  CHECK(got.result.how == end::exited);
  CHECK(got.result.exit_code == 137);
  CHECK(got.result.out_of_memory);
  // Remembered once: the next failure is not blamed on it.
  auto after = run_in(*box, {"false"});
  CHECK(after.result.exit_code == 1);
  CHECK_FALSE(after.result.out_of_memory);
}
