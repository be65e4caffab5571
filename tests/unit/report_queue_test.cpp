#include "actors/report_queue.hpp"
#include "actors/stage_queue.hpp"

#include <catch2/catch.hpp>

using namespace troupe;

namespace {

run_report report_of(uint32_t run_id, size_t output = 0) {
  auto out = run_report{};
  out.run_id = run_id;
  if (output > 0)
    out.stages.emplace_back().output = std::string(output, 'x');
  return out;
}

stage_report stage_of(uint32_t run_id, size_t output = 0) {
  auto out = stage_report{};
  out.run_id = run_id;
  out.step.output = std::string(output, 'x');
  return out;
}

} // namespace

TEST_CASE("one message is out at a time and holds at most 1024 results", "[unit][report_queue]") {
  auto queue = report_queue{};
  for (auto i = uint32_t{0}; i < 1500; ++i)
    queue.push(report_of(i));
  CHECK(queue.next().size() == 1024);
  CHECK(queue.next().empty());
  auto keys = queue.taken();
  REQUIRE(keys.size() == 1024);
  CHECK(keys[7].run_id == 7);
  CHECK(queue.next().size() == 476);
}

TEST_CASE("a message is bounded in bytes, but never empty", "[unit][report_queue]") {
  auto queue = report_queue{};
  for (auto i = uint32_t{0}; i < 3; ++i)
    queue.push(report_of(i, 3 << 20));
  CHECK(queue.next().size() == 1);
}

TEST_CASE("what failed is sent again as it was", "[unit][report_queue]") {
  auto queue = report_queue{};
  queue.push(report_of(1));
  CHECK(queue.next().size() == 1);
  queue.failed();
  auto again = queue.next();
  REQUIRE(again.size() == 1);
  CHECK(again[0].run_id == 1);
}

TEST_CASE("a refused message is taken apart until only the culprit is dropped",
          "[unit][report_queue]") {
  auto queue = report_queue{};
  queue.push(report_of(1, 10));
  queue.push(report_of(2));
  CHECK(queue.next().size() == 2);
  CHECK_FALSE(queue.refused("too large"));
  CHECK(queue.next().size() == 1);
  CHECK_FALSE(queue.refused("too large"));
  auto bare = queue.next();
  REQUIRE(bare.size() == 1);
  CHECK(bare[0].stages.empty());
  CHECK(bare[0].note == "the stages of this run were refused: too large");
  auto dropped = queue.refused("too large");
  REQUIRE(dropped);
  CHECK(dropped->run_id == 1);
  auto rest = queue.next();
  REQUIRE(rest.size() == 1);
  CHECK(rest[0].run_id == 2);
  CHECK(queue.taken().size() == 1);
  CHECK(queue.empty());
}

TEST_CASE("progress goes in messages of at most 1 MiB, in order", "[unit][report_queue]") {
  auto queue = stage_queue{};
  for (auto i = uint32_t{0}; i < 40; ++i)
    CHECK(queue.push(stage_of(i, 64 << 10)));
  auto expected = uint32_t{0};
  auto messages = 0;
  for (; !queue.empty(); ++messages) {
    auto bytes = size_t{0};
    for (const auto& report : queue.next()) {
      CHECK(report.run_id == expected++);
      bytes += report.step.output.size();
    }
    CHECK(bytes <= 1 << 20);
  }
  CHECK(expected == 40);
  CHECK(messages == 3);
}

TEST_CASE("a message of progress holds at most 1024 stages, and a large one alone",
          "[unit][report_queue]") {
  auto queue = stage_queue{};
  for (auto i = uint32_t{0}; i < 1500; ++i)
    queue.push(stage_of(i));
  CHECK(queue.next().size() == 1024);
  CHECK(queue.next().size() == 476);
  queue.push(stage_of(1, 2 << 20));
  queue.push(stage_of(2));
  CHECK(queue.next().size() == 1);
  CHECK(queue.next().size() == 1);
}

TEST_CASE("progress that nobody takes is bounded in number and bytes", "[unit][report_queue]") {
  auto many = stage_queue{};
  for (auto i = uint32_t{0}; i < 4096; ++i)
    CHECK(many.push(stage_of(i)));
  CHECK_FALSE(many.push(stage_of(9)));
  auto large = stage_queue{};
  auto kept = 0;
  while (large.push(stage_of(1, 64 << 10)))
    ++kept;
  CHECK(kept == 255);
  large.next();
  CHECK(large.push(stage_of(1, 64 << 10)));
}
