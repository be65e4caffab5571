/// Leases, cancellations and the end of a runner.
#include "tests/actors/runner_world.hpp"

using namespace troupe;
using namespace troupe::tests;

TEST_CASE_METHOD(one_runner, "leases are renewed each third of a lease in one message",
                 "[actor][test_runner]") {
  ledger_says.answers = {{order_of(), order_of()}};
  start();
  pass(19s);
  CHECK(ledger_says.renewals.empty());
  pass(1s);
  REQUIRE(ledger_says.renewals.size() == 1);
  CHECK(ledger_says.renewals[0].runs.size() == 2);
  pass(20s);
  CHECK(ledger_says.renewals.size() == 2);
}

TEST_CASE_METHOD(one_runner, "a canceled lease stops the run and its end is reported",
                 "[actor][test_runner]") {
  auto only = order_of();
  ledger_says.answers = {{only}};
  start();
  executor_says.stops_at_once = true;
  ledger_says.state = lease_state::canceled;
  pass(20s);
  REQUIRE(executor_says.stopped.size() == 1);
  CHECK(executor_says.stopped[0].second == reason::canceled);
  REQUIRE(ledger_says.finishes.size() == 1);
  CHECK(ledger_says.finishes[0].reports[0].why == reason::canceled);
}

TEST_CASE_METHOD(one_runner, "a lost lease stops the run and its end is forgotten",
                 "[actor][test_runner]") {
  ledger_says.answers = {{order_of()}};
  start();
  executor_says.stops_at_once = true;
  ledger_says.state = lease_state::lost;
  pass(20s);
  CHECK(executor_says.stopped.size() == 1);
  CHECK(ledger_says.finishes.empty());
  CHECK(status().busy == 0);
}

TEST_CASE_METHOD(one_runner, "a drain calls the waiting claim back and hands its runs back",
                 "[actor][test_runner]") {
  start();
  REQUIRE(ledger_says.waiting.size() == 1);
  auto late = order_of();
  ledger_says.answers = {{late}};
  auto handed_back = ask<uint32_t>(runner, drain_atom_v);
  REQUIRE(handed_back);
  CHECK(*handed_back == 1);
  REQUIRE(ledger_says.finishes.size() == 1);
  CHECK(ledger_says.finishes[0].reports[0].why == reason::worker_shutdown);
  CHECK(ledger_says.claims[0].nonce == ledger_says.claims[1].nonce);
  CHECK(executor_says.begun.empty());
  CHECK(ledger_says.statuses.back().draining);
  pass(60s);
  CHECK(ledger_says.claims.size() == 2);
}

TEST_CASE_METHOD(one_runner, "a drain waits for running runs, then stops them at its deadline",
                 "[actor][test_runner]") {
  auto quick = order_of();
  auto slow = order_of();
  ledger_says.answers = {{quick, slow}};
  start();
  executor_says.stops_at_once = true;
  auto asker = caf::scoped_actor{sys};
  auto answer = asker->request(runner, 300s, drain_atom_v);
  sched.run();
  finish(quick);
  CHECK_FALSE(asker->has_next_message());
  CHECK(executor_says.stopped.empty());
  pass(20s);
  REQUIRE(executor_says.stopped.size() == 1);
  CHECK(executor_says.stopped[0] == std::pair{run_key{slow.job, 0}, reason::worker_shutdown});
  REQUIRE(asker->has_next_message());
  answer.receive([](uint32_t n) { CHECK(n == 1); },
                 [](const caf::error& why) { FAIL(one_line(why)); });
}

TEST_CASE_METHOD(one_runner, "a drain ends soon after its deadline even if the ledger is away",
                 "[actor][test_runner]") {
  auto only = order_of();
  ledger_says.answers = {{only}};
  start();
  remove_ledger();
  executor_says.stops_at_once = true;
  auto asker = caf::scoped_actor{sys};
  auto answer = asker->request(runner, 300s, drain_atom_v);
  sched.run();
  pass(20s);
  CHECK_FALSE(asker->has_next_message());
  pass(2s);
  REQUIRE(asker->has_next_message());
  answer.receive([](uint32_t) {}, [](const caf::error& why) { FAIL(one_line(why)); });
}

TEST_CASE_METHOD(one_runner, "a new ledger hears of the runner at once", "[actor][test_runner]") {
  start();
  pass(1s);
  auto before = ledger_says.statuses.size();
  pass(1s);
  CHECK(ledger_says.statuses.size() == before); // this one knows it
  remove_ledger();
  add_ledger();
  pass(1s);
  CHECK(ledger_says.statuses.size() == before + 1);
}
