#include "actors/statistics/statistics_counter.hpp"
#include "tests/support/jobs_system.hpp"
#include "tests/support/work_script.hpp"

using namespace troupe;
using namespace troupe::tests;

namespace {

/// Journal, history, ledger and statistics in simulated time.
class statistics_system : public jobs_system {
public:
  ~statistics_system() {
    directory.assign("statistics", nullptr);
    caf::anon_send_exit(counter, caf::exit_reason::user_shutdown);
    counter = nullptr;
    sched.run();
  }

  void start_counter(const std::shared_ptr<projection_table>& where) {
    counter = sys.spawn(statistics_counter, &directory, where, statistics_pump_options(),
                        statistics_limits{});
    directory.assign("statistics", caf::actor_cast<caf::strong_actor_ptr>(counter));
    sched.run();
  }
  void stop_counter() {
    caf::anon_send_exit(counter, caf::exit_reason::kill);
    counter = nullptr;
    directory.assign("statistics", nullptr);
    sched.run();
  }

  statistics_report report() {
    auto got = ask<statistics_report>(counter, get_statistics{});
    REQUIRE(got);
    return *got;
  }

  std::shared_ptr<memory_table> counts = std::make_shared<memory_table>();
  statistics_actor counter;
};

} // namespace

TEST_CASE_METHOD(statistics_system, "an answer includes everything durable before the question") {
  start();
  start_counter(counts);
  for (auto i = 1u; i <= 20; ++i) {
    submit();
    CHECK(report().kinds.at("test").distributed == i);
    CHECK(report().kinds.at("test").waiting == i);
  }
}

TEST_CASE_METHOD(statistics_system,
                 "a run that the ledger leases and ends is counted by all names") {
  start();
  start_counter(counts);
  submit();
  auto runs = claim("r1");
  CHECK(report().kinds.at("test").in_progress == 1);
  run_for(3s);
  finish("r1", runs.at(0));
  auto got = report();
  CHECK(got.kinds.at("test").in_progress == 0);
  for (const auto* work : {&got.kinds.at("test"), &got.queues.at("fake-x86_64-0"),
                           &got.runners.at("r1"), &got.packages.at("hello")}) {
    CHECK(work->processed == 1);
    CHECK(work->spend.count == 1);
    CHECK(work->reasons.at("none") == 1);
  }
  CHECK(got.processors.empty());
}

TEST_CASE_METHOD(statistics_system, "counting goes on where it was, and equals a rebuild") {
  start();
  start_counter(counts);
  for (auto i = 0; i < 30; ++i) {
    submit();
    for (const auto& run : claim("r" + std::to_string(i % 3), 2))
      finish("r" + std::to_string(i % 3), run, i % 4 == 0 ? reason::env_lost : reason::none);
    if (i % 7 == 0) {
      report();
      stop_counter();
      start_counter(counts);
    }
  }
  auto live = report();
  stop_counter();
  auto fresh = std::make_shared<memory_table>();
  start_counter(fresh);
  auto rebuilt = report();
  CHECK(rebuilt.sequence == live.sequence);
  CHECK(rebuilt.kinds.at("test").processed == live.kinds.at("test").processed);
  CHECK(rebuilt.kinds.at("test").failed > 0);
  CHECK(dump(*fresh) == dump(*counts));
}

TEST_CASE_METHOD(statistics_system, "what is counted so far is told without the journal") {
  start();
  start_counter(counts);
  submit();
  report();
  directory.assign("journal", nullptr);
  auto got = ask<statistics_counters>(counter, status_atom_v);
  REQUIRE(got);
  CHECK(got->kinds.at("test").work.distributed == 1);
  CHECK(got->events.at("job.queued") == 1);
  CHECK(explain(ask<statistics_report>(counter, get_statistics{}).error()).code == ec::unavailable);
  directory.assign("journal", caf::actor_cast<caf::strong_actor_ptr>(journal));
}
