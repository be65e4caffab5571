#include "tests/integration/engine_fixture.hpp"

#include <catch2/catch.hpp>

using namespace troupe;
using namespace troupe::tests;
using namespace std::chrono_literals;

using end = command_result::end;

TEST_CASE("stdout and stderr come apart, with the exit code of the command") {
  auto box = started_container();
  auto got = run_in(*box, {"sh", "-c", "echo out; echo err >&2; exit 7"});
  CHECK(got.result.how == end::exited);
  CHECK(got.result.exit_code == 7);
  CHECK(got.out == "out\n");
  CHECK(got.err == "err\n");
  CHECK_FALSE(got.result.out_of_memory);
}

TEST_CASE("a command gets its arguments as they are, its variables and its folder") {
  auto box = started_container();
  auto what =
    command{.argv = {"sh", "-c", R"(printf '%s|' "$@" "$NAME" "$PWD")", "x", "a b", "$(id)", ""},
            .variables = {"NAME=some value"},
            .work_dir = "/tmp"};
  auto got = run_in(*box, what);
  CHECK(got.result.exit_code == 0);
  CHECK(got.out == "a b|$(id)||some value|/tmp|");
}
