#include "tests/support/fault_count.hpp"
#include "tests/support/work_script.hpp"

#include <catch2/catch.hpp>

using namespace troupe;
using namespace troupe::tests;
using namespace std::chrono_literals;

namespace {

event_batch batch_of(std::vector<stored_event> events) {
  auto next = events.back().sequence + 1;
  return {std::move(events), next, true};
}

/// Applies all events, in batches of up to `most`; begins again from the table now and then.
void tell(const std::shared_ptr<projection_table>& table, const std::vector<stored_event>& events,
          size_t most, unsigned restarts_in_100, unsigned seed, statistics_limits limits = {}) {
  auto random = std::mt19937{seed};
  auto fold = std::make_unique<statistics_fold>(table, limits);
  REQUIRE_FALSE(fold->open());
  for (auto at = events.begin(); at != events.end();) {
    auto size = std::min<size_t>(1 + random() % most, static_cast<size_t>(events.end() - at));
    // A batch may begin with what was applied before: the journal is read from the cursor.
    auto from = at - std::min<ptrdiff_t>(at - events.begin(), random() % 3);
    REQUIRE_FALSE(fold->apply(batch_of({from, at + static_cast<ptrdiff_t>(size)})));
    at += static_cast<ptrdiff_t>(size);
    if (random() % 100 < restarts_in_100) {
      fold = std::make_unique<statistics_fold>(table, limits);
      REQUIRE_FALSE(fold->open());
    }
  }
}

statistics_report report_of(const std::shared_ptr<projection_table>& table, caf::timestamp now,
                            statistics_limits limits = {}) {
  auto fold = statistics_fold{table, limits};
  REQUIRE_FALSE(fold.open());
  return fold.report({}, now);
}

void check_kind(const work_report& told, const work_truth& truth) {
  CHECK(told.distributed == truth.distributed);
  CHECK(told.started == truth.started);
  CHECK(told.processed == truth.processed);
  CHECK(told.failed == truth.failed);
  CHECK(told.retried == truth.retried);
  CHECK(told.dead == truth.dead);
  CHECK(told.canceled == truth.canceled);
  CHECK(told.spend.count == truth.spend_us.size());
  auto exact = duration_sketch{};
  for (auto us : truth.spend_us)
    exact.add(std::chrono::microseconds{us});
  CHECK(told.spend.p99_s == exact.summary().p99_s);
  CHECK(told.spend.sum_s == exact.summary().sum_s);
}

} // namespace

TEST_CASE("events with repeats and restarts count as the generator counted them") {
  auto script = work_script{1};
  auto events = script.take(fault_count(20'000, 1'000'000));
  auto table = std::make_shared<memory_table>();
  tell(table, events, 400, 5, 1);
  auto got = report_of(table, script.now());
  CHECK(got.generated == script.objects);
  CHECK(got.repeated == script.repeated);
  CHECK(got.objects.open == script.open_objects());
  CHECK(got.objects.completed == script.objects - script.open_objects());
  for (const auto& [kind, truth] : script.kinds) {
    INFO(kind);
    check_kind(got.kinds.at(kind), truth);
    CHECK(got.kinds.at(kind).in_progress == script.running(kind));
    CHECK(got.kinds.at(kind).waiting == script.waiting(kind));
  }
  CHECK(got.in_progress == script.running("process"));
  auto by_topic = uint64_t{0};
  auto fold = statistics_fold{table};
  REQUIRE_FALSE(fold.open());
  for (const auto& [_, count] : fold.counters().events)
    by_topic += count;
  CHECK(by_topic == script.events);
}

TEST_CASE("a rebuild is equal to the byte, wherever batches end") {
  auto limits = statistics_limits{};
  auto small = GENERATE(false, true);
  if (small)
    limits = {200, 150, 1, 3, 4, 20, 3};
  auto script = work_script{9};
  auto events = script.take(3'000);
  auto live = std::make_shared<memory_table>();
  tell(live, events, 50, 10, 2, limits);
  auto rebuilt = std::make_shared<memory_table>();
  tell(rebuilt, events, 4'096, 0, 3, limits);
  CHECK(dump(*live) == dump(*rebuilt));
  CHECK(dump(*live).size() > 1'000);
}

TEST_CASE("groups that made room are counted as others, and all together are right") {
  auto script = work_script{5};
  auto events = script.take(3'000);
  auto limits = statistics_limits{};
  limits.queues = 2;
  limits.packages = 5;
  limits.runners = 3;
  auto table = std::make_shared<memory_table>();
  tell(table, events, 300, 5, 4, limits);
  auto got = report_of(table, script.now(), limits);
  CHECK(got.queues.size() == 3);
  CHECK(got.packages.size() == 6);
  CHECK(got.runners.size() == 4);
  auto sum = [](const std::map<std::string, work_report>& groups, uint64_t work_report::*member) {
    auto out = uint64_t{0};
    for (const auto& [_, x] : groups)
      out += x.*member;
    return out;
  };
  for (auto member : {&work_report::started, &work_report::processed, &work_report::in_progress,
                      &work_report::waiting, &work_report::failed}) {
    auto all = got.kinds.at("process").*member + got.kinds.at("test").*member;
    CHECK(sum(got.queues, member) == all);
    CHECK(sum(got.packages, member) == got.kinds.at("test").*member);
    if (member != &work_report::waiting)
      CHECK(sum(got.runners, member) == all);
  }
}

TEST_CASE("what is remembered of closed targets and objects is bounded") {
  auto limits = statistics_limits{};
  limits.closed_targets = 200;
  limits.objects = 100;
  auto table = std::make_shared<memory_table>();
  auto script = work_script{6, 0}; // what is forgotten and told again would begin anew
  tell(table, script.take(6'000), 300, 5, 4, limits);
  auto rows = std::map<char, size_t>{};
  auto why = table->scan({}, [&](std::string_view key, std::string_view) {
    ++rows[key[0]];
    return true;
  });
  REQUIRE_FALSE(why);
  CHECK(rows['c'] == 200);
  CHECK(rows['n'] == 100);
  CHECK(rows['o'] == 100);
  CHECK(rows['t']
        == 200 + script.running("process") + script.running("test") + script.waiting("process")
             + script.waiting("test"));
}
