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

TEST_CASE(
  "a missing program is 127 and a file that is no program 126, both the command's own end") {
  auto box = started_container();
  auto missing = run_in(*box, {"/no/such/program"});
  CHECK(missing.result.how == end::exited);
  CHECK(missing.result.exit_code == 127);
  auto no_program = run_in(*box, {"/etc/hostname"});
  CHECK(no_program.result.how == end::exited);
  CHECK(no_program.result.exit_code == 126);
}

TEST_CASE("a command that exits with 125 by itself is not taken for the engine's fault") {
  auto box = started_container();
  auto got = run_in(*box, {"sh", "-c", "exit 125"});
  CHECK(got.result.how == end::exited);
  CHECK(got.result.exit_code == 125);
}

TEST_CASE("a missing work folder fails the command and not the container") {
  auto box = started_container();
  auto got =
    run_in(*box, command{.argv = {"true"}, .variables = {}, .work_dir = "/no/such/folder"});
  CHECK(got.result.exit_code != 0);
  CHECK(run_in(*box, {"true"}).result.exit_code == 0);
}

TEST_CASE("fifty megabytes of output arrive whole, in order and in pieces") {
  auto box = started_container();
  auto bytes = uint64_t{0};
  auto wrong = uint64_t{0};
  auto largest = size_t{0};
  constexpr auto line = std::string_view{"0123456789abcde\n"};
  auto what =
    command{.argv = {"sh", "-c", "yes 0123456789abcde | head -c 52428800"}, .variables = {}};
  auto result = box->exec(what, {}, [&](int, std::string_view text) {
    for (auto c : text)
      wrong += c != line[bytes++ % line.size()];
    largest = std::max(largest, text.size());
  });
  CHECK(result.exit_code == 0);
  CHECK(bytes == 52'428'800);
  CHECK(wrong == 0);
  CHECK(largest <= 64 << 10);
}

TEST_CASE("a background child that keeps the output open does not keep the command open") {
  auto box = started_container();
  auto got = run_in(*box, {"sh", "-c", "echo before; sleep 300 & exit 3"});
  CHECK(got.result.how == end::exited);
  CHECK(got.result.exit_code == 3);
  CHECK(got.out == "before\n");
}

TEST_CASE("bytes that are no text pass unchanged") {
  auto box = started_container();
  auto got = run_in(*box, {"printf", R"(a\000b\377\r\n)"});
  CHECK(got.out == std::string("a\0b\xff\r\n", 6));
}
