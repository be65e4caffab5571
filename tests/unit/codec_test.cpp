#include "messages/log_names.hpp"
#include "messages/protocols.hpp"

#include <caf/binary_deserializer.hpp>
#include <caf/binary_serializer.hpp>
#include <catch2/catch.hpp>

using namespace troupe;

namespace {

struct point_v1 {
  int32_t x = 0;
  static constexpr auto type_name = "troupe::point";
  static constexpr auto fields = std::tuple{field{"x", &point_v1::x}};
};

struct point_v2 {
  int32_t x = 0;
  std::string unit = "mm";
  static constexpr auto type_name = "troupe::point";
  static constexpr auto fields = std::tuple{
    field{"x", &point_v2::x},
    field{"unit", &point_v2::unit},
  };
};

run_report sample() {
  auto out = run_report{};
  out.job = new_job_id();
  out.run_id = 3;
  out.result = verdict::fail;
  out.why = reason::install_failed;
  out.note = "apt-get ended with 100";
  auto& step = out.stages.emplace_back();
  step.name = "install_package";
  step.finished = true;
  step.exit_code = -100;
  step.started_at = caf::timestamp{std::chrono::seconds{1'700'000'000}};
  step.log = artifact_ref{"install_package.log", 10, 5, "ab", true};
  return out;
}

} // namespace

TEST_CASE("a record survives its binary form", "[unit][codec]") {
  auto in = sample();
  auto out = unpack<run_report>(pack(in));
  REQUIRE(out);
  CHECK(encode(*out) == encode(in));
  CHECK(out->stages.at(0).exit_code == -100);
  CHECK(out->stages.at(0).log->truncated);
  CHECK(packed_kind(pack(in)) == "troupe::run_report");
}

TEST_CASE("old and new readers understand each other, also inside lists", "[unit][codec]") {
  auto news = std::vector<point_v2>{{1, "cm"}, {2, "km"}};
  auto old_view = decode<std::vector<point_v1>>(encode(news));
  REQUIRE(old_view);
  CHECK(old_view->at(1).x == 2);
  auto olds = std::vector<point_v1>{{7}, {8}};
  auto new_view = decode<std::vector<point_v2>>(encode(olds));
  REQUIRE(new_view);
  CHECK(new_view->at(0).unit == "mm");
  CHECK(new_view->at(1).x == 8);
}

TEST_CASE("every truncation of a record is an error or a prefix of its fields", "[unit][codec]") {
  auto whole = pack(sample());
  for (auto n = size_t{0}; n < whole.size(); ++n)
    CHECK_FALSE(unpack<run_report>(std::string_view{whole}.substr(0, n)));
}

TEST_CASE("a count beyond the input is refused without allocating", "[unit][codec]") {
  auto bytes = std::string{};
  encoder{bytes}.number(uint64_t{1} << 60);
  CHECK_FALSE(decode<std::vector<job_id>>(bytes));
  CHECK_FALSE(decode<std::string>(bytes));
}

TEST_CASE("another kind is unsupported, not corrupt", "[unit][codec]") {
  auto out = unpack<stage>(pack(sample()));
  REQUIRE_FALSE(out);
  CHECK(explain(out.error()).code == ec::unsupported);
}

TEST_CASE("CAF carries a record as its binary form", "[unit][codec]") {
  auto in = sample();
  auto bytes = caf::binary_serializer::container_type{};
  auto sink = caf::binary_serializer{nullptr, bytes};
  REQUIRE_FALSE(sink(in));
  auto out = run_report{};
  auto source = caf::binary_deserializer{nullptr, bytes};
  REQUIRE_FALSE(source(out));
  CHECK(encode(out) == encode(in));
}

TEST_CASE("ids increase and keep their text form", "[unit][ids]") {
  auto last = new_job_id();
  for (auto i = 0; i < 10'000; ++i) {
    auto next = new_job_id();
    REQUIRE(last < next);
    last = next;
  }
  CHECK(parse_job_id(to_string(last)) == last);
  CHECK_FALSE(parse_job_id("0191e6a7-0000-7000-8000-00000000000g"));
  CHECK_FALSE(parse_job_id("0191e6a7-0000-7000-8000-0000000000000"));
}

TEST_CASE("a row of ids belongs to nobody else and increases too", "[unit][ids]") {
  auto last = new_job_id();
  for (auto i = 0; i < 1'000; ++i) {
    auto first = new_job_ids(1024);
    REQUIRE(last < first);
    last = first;
    for (auto n = uint32_t{1}; n < 1024; ++n) {
      auto next = nth_job_id(first, n);
      REQUIRE(last < next);
      last = next;
    }
  }
  CHECK(nth_job_id(last, 0) == last);
  auto carry = parse_job_id("0191e6a7-0000-7000-80ff-0000ffffffff");
  REQUIRE(carry);
  CHECK(to_string(nth_job_id(*carry, 257)) == "0191e6a7-0000-7000-80ff-000100000100");
}

TEST_CASE("no two logs of a run have one name, silent stages or not", "[unit][ids]") {
  auto steps = std::vector<stage>{};
  for (auto name : {"a", "b", "a", "a-2", "a", "x/y", "x_y", "../z", "a\nb"})
    steps.emplace_back().name = name;
  CHECK(log_names(steps)
        == std::vector<std::string>{"a.log", "b.log", "a-2.log", "a-2-2.log", "a-3.log", "x_y.log",
                                    "x_y-2.log", ".._z.log", "stage.log"});
  steps[1].log = artifact_ref{"other.log", 1, 1, "", false};
  CHECK(log_names(steps)[1] == "other.log");
  auto namer = log_namer{};
  for (const auto& step : {"a", "b", "a"})
    namer.next(step);
  CHECK(namer.next("a-2") == log_names(steps)[3]);
  CHECK(namer.next(std::string(500, 's')).size() == longest_stage_name + 4);
}
