#include "messages/json.hpp"
#include "messages/run.hpp"
#include "messages/test.hpp"

#include <catch2/catch.hpp>

using namespace troupe;

TEST_CASE("deep, wide and repeated JSON is refused before a document exists", "[unit][json]") {
  CHECK_FALSE(parse_json_text(std::string(1'000'000, '[')));
  CHECK(parse_json_text(std::string(64, '[') + std::string(64, ']')));
  CHECK_FALSE(parse_json_text(std::string(65, '[') + std::string(65, ']')));
  auto twice = parse_json_text(R"({"a":1,"a":2})");
  REQUIRE_FALSE(twice);
  CHECK(one_line(twice.error()).find("appears twice") != std::string::npos);
  CHECK_FALSE(parse_json_text("{\"a\":\"\xff\"}"));
  for (auto item : {"1,", "[],", "{},", "\"\",", "null,", "1.5,", "-1,", "true,"}) {
    auto list = std::string{"["};
    for (auto i = 0; i < 60'000; ++i)
      list += item;
    CHECK_FALSE(parse_json_text(list + "0]"));
    CHECK(parse_json_text(list + "0]", {.keys = 20'000}));
  }
  auto cut = parse_json_text(R"({"a":)");
  REQUIRE_FALSE(cut);
  CHECK(explain(cut.error()).place == "offset 5");
}

TEST_CASE("a fault of a body names its field path", "[unit][json]") {
  auto spec = parse_json<test_spec>(R"({"repositories":[{"name":"ok"},{"name":"a;b"}]})");
  REQUIRE_FALSE(spec);
  CHECK(explain(spec.error()).place == "repositories[1].name");
}

TEST_CASE("a million wrong items are not a million texts", "[unit][json]") {
  auto in = json{{"repositories", json(64, {{"name", "a;b"}})},
                 {"tests", json(64, {{"name", "a;b"}})},
                 {"variables", json(256, {{"name", "a;b"}})}};
  auto reader = json_reader{};
  auto spec = test_spec{};
  reader.read(in, spec, "");
  CHECK(reader.faults.size() == json_reader::most_faults);
}

TEST_CASE("a record survives its JSON form", "[unit][json]") {
  auto in = run_report{};
  in.job = new_job_id();
  in.why = reason::stage_timeout;
  in.stages.resize(1);
  in.stages[0].name = "x";
  in.stages[0].started_at = *parse_iso8601("2026-11-21T05:03:00.123Z");
  auto text = json_text(write_json(in));
  CHECK(text.find("stage-timeout") != std::string::npos);
  CHECK(text.find("2026-11-21T05:03:00.123Z") != std::string::npos);
  auto out = parse_json<run_report>(text);
  REQUIRE(out);
  CHECK(encode(*out) == encode(in));
}

TEST_CASE("times that are no times are refused", "[unit][time]") {
  for (auto text : {"", "2026-11-21", "2026-02-30T00:00:00Z", "2026-11-21T24:00:00Z",
                    "2026-11-21T05:03:00", "2026-11-21T05:03:00.Z", "9999-01-01T00:00:00Z"})
    CHECK_FALSE(parse_iso8601(text));
  CHECK(to_iso8601(*parse_iso8601("2026-11-21T05:03:00+01:00")) == "2026-11-21T04:03:00.000Z");
}
