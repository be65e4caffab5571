#include "actors/jobs/history_index.hpp"
#include "actors/projection/projection_table.hpp"
#include "messages/time.hpp"
#include "tests/support/temp_folder.hpp"

#include <catch2/catch.hpp>

#include <memory>

using namespace troupe;

namespace {

std::vector<std::string> keys(const projection_table& table, const key_range& range) {
  auto out = std::vector<std::string>{};
  REQUIRE(!table.scan(range, [&](std::string_view key, std::string_view) {
    out.emplace_back(key);
    return out.size() < 3;
  }));
  return out;
}

} // namespace

TEST_CASE("a history table in memory and one in the database behave alike") {
  auto folder = tests::temp_folder{};
  auto table = std::shared_ptr<projection_table>{};
  SECTION("memory") {
    table = std::make_shared<memory_table>();
  }
  SECTION("database") {
    auto db = database::open(folder.path() + "/db");
    REQUIRE(db);
    table = make_projection_table(*db, family::history);
  }
  if (!table)
    return;
  REQUIRE(!table->write({{"a", "1"}, {"b", "2"}, {"c", "3"}, {"d", "4"}}));
  REQUIRE(!table->write({{"b", std::nullopt}, {"e", "5"}, {"e", "6"}}));
  CHECK(*table->get("a") == "1");
  CHECK(!*table->get("b"));
  CHECK(*table->get("e") == "6");
  CHECK(keys(*table, {"a", "d", false}) == std::vector<std::string>{"a", "c"});
  CHECK(keys(*table, {"a", "d", true}) == std::vector<std::string>{"c", "a"});
  CHECK(keys(*table, {"", "", false}) == std::vector<std::string>{"a", "c", "d"});
  CHECK(keys(*table, {"c", "", true}) == std::vector<std::string>{"e", "d", "c"});
}

TEST_CASE("a history in the database is there again after it was closed") {
  auto folder = tests::temp_folder{};
  auto id = new_job_id();
  auto queued = job_queued{};
  queued.job = id;
  queued.what.subject = "hello";
  {
    auto db = database::open(folder.path() + "/db");
    REQUIRE(db);
    auto index = history_index{make_projection_table(*db, family::history)};
    REQUIRE(!index.open());
    REQUIRE(index.apply({{{1, 1, now(), make_event(queued, now())}}, 2, true}));
  }
  auto db = database::open(folder.path() + "/db");
  REQUIRE(db);
  auto index = history_index{make_projection_table(*db, family::history)};
  REQUIRE(!index.open());
  CHECK(index.mark().sequence == 1);
  CHECK(index.find(id)->subject == "hello");
  auto query = list_jobs{};
  query.subject = "hello";
  CHECK(index.list(query)->jobs.size() == 1);
  CHECK(index.live({})->jobs.size() == 1);
}
