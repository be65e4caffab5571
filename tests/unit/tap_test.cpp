#include "actors/runners/tap.hpp"

#include <catch2/catch.hpp>

using namespace troupe;

namespace {

tap_report read(std::string_view text) {
  auto in = tap_reader{};
  in.feed(text);
  return in.finish();
}

} // namespace

TEST_CASE("TAP is the same however it is cut") {
  auto text =
    std::string{"TAP version 13\n1..4\nok 1 - a\nnot ok 2 - b # TODO later\r\n"
                "# a note\n    not ok 1 - of a subtest\nok 3 # skip no net\nnot ok 4 - d"};
  for (auto size = size_t{1}; size <= text.size(); ++size) {
    auto in = tap_reader{};
    for (auto at = size_t{0}; at < text.size(); at += size)
      in.feed(std::string_view{text}.substr(at, size));
    auto report = in.finish();
    CHECK(report.found);
    CHECK(report.planned == 4u);
    CHECK(report.seen == 4);
    CHECK(report.todo == 1);
    CHECK(report.skipped == 1);
    CHECK(report.failed == std::vector<std::string>{"d"});
    CHECK(report.summary() == "1 of 4 not ok: d");
    CHECK_FALSE(report.ok());
  }
}

TEST_CASE("a plan that is not kept is a failure") {
  CHECK_FALSE(read("1..3\nok 1\nok 2\n").ok());
  CHECK_FALSE(read("1..1\nok 1\nok 2\n").ok());
  CHECK(read("1..3\nok 1\n").summary() == "planned 3 tests, ran 1");
  CHECK(read("ok 1\nok 2\n1..2\n").ok());
}

TEST_CASE("a bail out is a failure") {
  auto report = read("1..2\nok 1\nBail out! no disk\n");
  CHECK_FALSE(report.ok());
  CHECK(report.summary() == "bailed out: no disk");
}

TEST_CASE("everything skipped is known") {
  CHECK(read("1..0 # SKIP wrong arch\n").all_skipped());
  CHECK(read("1..0 # SKIP wrong arch\n").summary() == "skipped: wrong arch");
  CHECK(read("1..1\nok 1 - x # SKIP y\n").all_skipped());
  CHECK_FALSE(read("1..2\nok 1 - x # SKIP y\nok 2\n").all_skipped());
}

TEST_CASE("an escaped hash is no directive") {
  CHECK_FALSE(read("1..1\nnot ok 1 - issue \\# TODO\n").ok());
}

TEST_CASE("output without a plan is no TAP") {
  CHECK_FALSE(read("ok then\nnot ok at all\n").found);
  CHECK_FALSE(read("").ok());
}

TEST_CASE("an endless line is passed over") {
  auto in = tap_reader{};
  in.feed("1..1\n");
  for (auto i = 0; i < 100; ++i)
    in.feed(std::string(4096, 'x'));
  in.feed("\nok 1\n");
  CHECK(in.finish().ok());
}

TEST_CASE("what is written can be read, one line per detail") {
  auto out = tap_writer{3};
  out.ok("a");
  out.not_ok("b", {"first", "two\nlines"});
  out.skip("c", "no need");
  CHECK(out.text()
        == "1..3\nok 1 - a\nnot ok 2 - b\n# first\n# two?lines\nok 3 - c # SKIP no need\n");
  CHECK(read(out.text()).failures == 1);
}

TEST_CASE("written TAP stays under 64 KiB") {
  auto out = tap_writer{1};
  out.not_ok("a", std::vector<std::string>(100'000, "a detail"));
  CHECK(out.text().size() < 64 * 1024);
  CHECK(out.text().find("more\n") != std::string::npos);
}
