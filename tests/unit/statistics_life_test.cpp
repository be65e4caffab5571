#include "tests/support/work_script.hpp"

#include <catch2/catch.hpp>

using namespace troupe;
using namespace troupe::tests;
using namespace std::chrono_literals;

namespace {

/// A table that has no room while told so.
class narrow_table final : public projection_table {
public:
  caf::error write(const table_changes& changes) override {
    return full ? fault(ec::disk_full, "no room") : inner.write(changes);
  }
  caf::expected<std::optional<std::string>> get(std::string_view key) const override {
    return inner.get(key);
  }
  caf::error scan(const key_range& range, const visit_entry& visit) const override {
    return inner.scan(range, visit);
  }

  memory_table inner;
  bool full = false;
};

/// Lives of single jobs, told by hand, one second between two events.
struct life_world {
  template <class T>
  stored_event next(const T& x, uint64_t epoch = 0) {
    time += 1s;
    return {++sequence, epoch, time, make_event(x, time)};
  }
  template <class T>
  void tell(const T& x, uint64_t epoch = 0) {
    auto batch = event_batch{{next(x, epoch)}, sequence + 1, true};
    REQUIRE_FALSE(fold.apply(batch));
  }
  job_queued queued(const std::string& kind, const std::string& subject) const {
    auto what = submit_job{};
    what.kind = kind;
    what.queue = "q";
    what.subject = subject;
    return {new_job_id(), what};
  }
  run_started started(const job_queued& of, uint32_t run) const {
    auto out = run_started{};
    out.job = of.job;
    out.run_id = run;
    out.runner = "r1";
    out.kind = of.what.kind;
    out.queue = of.what.queue;
    out.subject = of.what.subject;
    return out;
  }
  run_finished finished(const job_queued& of, uint32_t run, verdict result, bool final) const {
    auto out = run_finished{};
    out.job = of.job;
    out.run_id = run;
    out.result = result;
    out.final = final;
    out.runner = "r1";
    out.kind = of.what.kind;
    out.queue = of.what.queue;
    out.subject = of.what.subject;
    out.started_at = time;
    return out;
  }
  statistics_report now() const {
    return fold.report({}, time);
  }

  std::shared_ptr<narrow_table> table = std::make_shared<narrow_table>();
  statistics_fold fold{table};
  caf::timestamp time{1'700'000'000s};
  uint64_t sequence = 0;
};

} // namespace

TEST_CASE_METHOD(life_world, "a task is distributed, runs, and is processed once") {
  auto task = queued("process", "7");
  tell(task);
  CHECK(now().distributed == 1);
  CHECK(now().objects.open == 1);
  CHECK(now().kinds.at("process").waiting == 1);
  tell(started(task, 0));
  CHECK(now().in_progress == 1);
  CHECK(now().kinds.at("process").waiting == 0);
  auto end = finished(task, 0, verdict::pass, true);
  tell(end);
  auto once = now();
  CHECK(once.processed == 1);
  CHECK(once.in_progress == 0);
  CHECK(once.spend.count == 1);
  CHECK(once.spend.p50_s == Approx(1).epsilon(0.01));
  CHECK(once.objects.completed == 1);
  CHECK(once.processors.at("r1").processed == 1);
  CHECK(once.processors.at("r1").busy_s == Approx(1));
  tell(end); // a duplicate END
  tell(started(task, 0));
  tell(task);
  auto again = now();
  CHECK(again.processed == 1);
  CHECK(again.started == 1);
  CHECK(again.distributed == 1);
  CHECK(again.in_progress == 0);
  CHECK(again.spend.count == 1);
  CHECK(again.repeated == 3);
}

TEST_CASE_METHOD(life_world, "a task that fails is retried, then dead") {
  auto task = queued("process", "7");
  tell(task);
  for (auto run = 0u; run < 3; ++run) {
    tell(started(task, run));
    tell(finished(task, run, verdict::error, run == 2));
  }
  auto got = now();
  CHECK(got.started == 3);
  CHECK(got.failed == 3);
  CHECK(got.retried == 2);
  CHECK(got.dead == 1);
  CHECK(got.processed == 0);
  CHECK(got.in_progress == 0);
  CHECK(got.processors.at("r1").failed == 3);
}

TEST_CASE_METHOD(life_world, "a failed test is a verdict, a failed task is not processed") {
  auto test = queued("test", "bash");
  auto task = queued("process", "7");
  for (const auto& x : {test, task}) {
    tell(x);
    tell(started(x, 0));
    tell(finished(x, 0, verdict::fail, true));
  }
  auto got = now();
  CHECK(got.kinds.at("test").processed == 1);
  CHECK(got.kinds.at("test").failed == 0);
  CHECK(got.packages.at("bash").results.at("fail") == 1);
  CHECK(got.kinds.at("process").processed == 0);
  CHECK(got.kinds.at("process").dead == 1);
}

TEST_CASE_METHOD(life_world,
                 "ends before begins and unknown targets never make a number negative") {
  auto task = queued("process", "7");
  tell(finished(task, 0, verdict::error, false));
  CHECK(now().in_progress == 0);
  tell(started(task, 0));
  CHECK(now().in_progress == 0); // it has ended
  CHECK(now().started == 1);
  tell(started(task, 1));
  CHECK(now().in_progress == 1);
  tell(finished(task, 1, verdict::pass, true));
  tell(task);
  auto got = now();
  CHECK(got.in_progress == 0);
  CHECK(got.distributed == 1);
  CHECK(got.kinds.at("process").waiting == 0);
}

TEST_CASE_METHOD(life_world, "a task for a complete object opens it again") {
  auto first = queued("process", "7");
  tell(first);
  tell(finished(first, 0, verdict::error, true));
  CHECK(now().objects.completed == 1);
  auto again = queued("process", "7/abc");
  tell(again);
  CHECK(now().objects.open == 1);
  CHECK(now().objects.completed == 0);
  tell(finished(again, 0, verdict::pass, true));
  auto object = fold.find(7);
  REQUIRE(object);
  CHECK(object->tasks_total == 2);
  CHECK(object->tasks_done == 1);
  CHECK(object->tasks_dead == 1);
  CHECK(now().objects.completed == 1);
  CHECK(explain(fold.find(8).error()).code == ec::not_found);
}

TEST_CASE_METHOD(life_world, "events of older nodes are counted by what was said before") {
  auto test = queued("test", "bash");
  tell(test);
  tell(run_started{test.job, 0, "r1", "b", "n"});
  auto end = run_finished{};
  end.job = test.job;
  end.result = verdict::pass;
  tell(end);
  auto got = now();
  CHECK(got.packages.at("bash").processed == 1);
  CHECK(got.runners.at("r1").processed == 1);
  CHECK(got.runners.at("r1").spend.p50_s == Approx(1).epsilon(0.01));
}

TEST_CASE_METHOD(life_world, "events of a ledger that was replaced do not count") {
  tell(ledger_opened{2}, 2);
  auto task = queued("process", "7");
  tell(task, 1);
  CHECK(now().distributed == 0);
  tell(task, 2);
  CHECK(now().distributed == 1);
}

TEST_CASE_METHOD(life_world, "without room nothing is applied, later everything is") {
  auto task = queued("process", "7");
  tell(task);
  table->full = true;
  auto batch = event_batch{{next(started(task, 0))}, sequence + 1, true};
  CHECK(explain(fold.apply(batch)).code == ec::disk_full);
  CHECK(fold.applied() == sequence - 1);
  CHECK(now().in_progress == 0);
  table->full = false;
  REQUIRE_FALSE(fold.apply(batch));
  CHECK(now().in_progress == 1);
  CHECK(now().started == 1);
}

TEST_CASE_METHOD(life_world, "objects are listed page by page") {
  for (auto i = 1; i <= 25; ++i)
    tell(queued("process", std::to_string(i * 10)));
  auto query = list_object_progress{{}, 10};
  auto ids = std::vector<uint64_t>{};
  do {
    auto page = fold.list(query);
    REQUIRE(page);
    for (const auto& x : page->objects)
      ids.push_back(x.id);
    query.cursor = page->next;
  } while (!query.cursor.empty());
  CHECK(ids.size() == 25);
  CHECK(std::is_sorted(ids.begin(), ids.end()));
  CHECK(explain(fold.list({"x", 1}).error()).code == ec::invalid_argument);
}
