#include "tests/actors/runner_world.hpp"

using namespace troupe;
using namespace troupe::tests;

TEST_CASE_METHOD(one_runner, "a runner claims at most its free slots, with a new nonce each time",
                 "[actor][test_runner]") {
  auto first = order_of();
  ledger_says.answers = {{first}, {order_of()}};
  start(3);
  REQUIRE(ledger_says.claims.size() == 3);
  CHECK(ledger_says.claims[0].max_runs == 3);
  CHECK(ledger_says.claims[1].max_runs == 2);
  CHECK(ledger_says.claims[2].max_runs == 1);
  CHECK(ledger_says.claims[0].nonce != ledger_says.claims[1].nonce);
  CHECK(ledger_says.claims[1].nonce != ledger_says.claims[2].nonce);
  CHECK(ledger_says.claims[0].wait == 20s);
  CHECK(executor_says.begun.size() == 2);
}

TEST_CASE_METHOD(one_runner, "a full runner claims nothing until a run has ended",
                 "[actor][test_runner]") {
  auto only = order_of();
  ledger_says.answers = {{only}};
  start(1);
  CHECK(ledger_says.claims.size() == 1);
  finish(only);
  REQUIRE(ledger_says.finishes.size() == 1);
  CHECK(ledger_says.finishes[0].reports.size() == 1);
  CHECK(ledger_says.claims.size() == 2);
}

TEST_CASE_METHOD(one_runner, "a claim without an answer is repeated with the same nonce",
                 "[actor][test_runner]") {
  ledger_says.silent = true;
  start();
  REQUIRE(ledger_says.claims.size() == 1);
  pass(25s);
  pass(10s);
  REQUIRE(ledger_says.claims.size() == 2);
  CHECK(ledger_says.claims[0].nonce == ledger_says.claims[1].nonce);
  CHECK(ledger_says.claims[0].max_runs == ledger_says.claims[1].max_runs);
}

TEST_CASE_METHOD(one_runner, "a run that is answered twice is executed once",
                 "[actor][test_runner]") {
  auto twice = order_of();
  ledger_says.answers = {{twice}, {twice}};
  start();
  CHECK(executor_says.begun.size() == 1);
  CHECK(status().busy == 1);
}

TEST_CASE_METHOD(one_runner, "without a ledger a runner waits, and claims when there is one",
                 "[actor][test_runner]") {
  remove_ledger();
  start();
  pass(10s);
  CHECK(ledger_says.claims.empty());
  add_ledger();
  pass(10s);
  CHECK(ledger_says.claims.size() == 1);
}

TEST_CASE_METHOD(one_runner, "results are held while the ledger is away and then reported",
                 "[actor][test_runner]") {
  auto only = order_of();
  ledger_says.answers = {{only}};
  start();
  remove_ledger();
  finish(only);
  pass(60s);
  CHECK(ledger_says.finishes.empty());
  add_ledger();
  pass(10s);
  REQUIRE(ledger_says.finishes.size() == 1);
  CHECK(ledger_says.finishes[0].reports[0].job == only.job);
  pass(60s);
  CHECK(ledger_says.finishes.size() == 1);
}

TEST_CASE_METHOD(one_runner, "a result without an answer is reported again",
                 "[actor][test_runner]") {
  auto only = order_of();
  ledger_says.answers = {{only}};
  start();
  ledger_says.silent = true;
  finish(only);
  CHECK(ledger_says.finishes.size() == 1);
  ledger_says.silent = false;
  pass(5s);
  pass(5s);
  CHECK(ledger_says.finishes.size() == 2);
}

TEST_CASE_METHOD(one_runner, "a result that the ledger can never take holds up no other",
                 "[actor][test_runner]") {
  auto bad = order_of();
  ledger_says.answers = {{bad}};
  start();
  ledger_says.finish_fault = ec::too_large;
  finish(bad);
  for (auto i = 0; i < 6; ++i)
    pass(5s);
  ledger_says.finish_fault = ec{};
  auto seen = ledger_says.finishes.size();
  auto good = order_of();
  ledger_says.answers = {{good}};
  REQUIRE(ask<queue_list>(roles.find<job_ledger_actor>("jobs"), queues_atom_v));
  finish(good);
  REQUIRE(ledger_says.finishes.size() > seen);
  CHECK(ledger_says.finishes.back().reports[0].job == good.job);
}

TEST_CASE_METHOD(one_runner, "cancel_runs stops the runs that are executed here, and no others",
                 "[actor][test_runner]") {
  auto mine = order_of();
  ledger_says.answers = {{mine}};
  start();
  tell_runner(cancel_runs{{{mine.job, mine.run_id}, {new_job_id(), 0}}});
  REQUIRE(executor_says.stopped.size() == 1);
  CHECK(executor_says.stopped[0].first == run_key{mine.job, mine.run_id});
}

TEST_CASE_METHOD(one_runner, "a refused result is forgotten", "[actor][test_runner]") {
  auto only = order_of();
  ledger_says.answers = {{only}};
  ledger_says.outcome = finish_outcome::refused;
  start();
  finish(only);
  pass(60s);
  CHECK(ledger_says.finishes.size() == 1);
  CHECK(ledger_says.renewals.empty());
}

TEST_CASE_METHOD(one_runner, "a broken driver is reported and claims nothing until it is fit",
                 "[actor][test_runner]") {
  executor_says.fitness = fault(ec::unavailable, "no engine");
  start();
  CHECK(ledger_says.claims.empty());
  REQUIRE_FALSE(ledger_says.statuses.empty());
  CHECK(ledger_says.statuses.back().broken == "no engine");
  executor_says.fitness = {};
  pass(10s);
  CHECK(ledger_says.statuses.back().broken.empty());
  CHECK(ledger_says.claims.size() == 1);
}

TEST_CASE_METHOD(one_runner, "a run that blames the host has the driver checked at once",
                 "[actor][test_runner]") {
  auto only = order_of();
  ledger_says.answers = {{only}};
  start();
  CHECK(executor_says.checks == 1);
  executor_says.fitness = fault(ec::unavailable, "engine is gone");
  finish(only, reason::env_lost);
  CHECK(executor_says.checks == 2);
  CHECK(status().broken == "engine is gone");
}

TEST_CASE_METHOD(one_runner, "leftovers are swept before the first claim and each minute",
                 "[actor][test_runner]") {
  auto only = order_of();
  ledger_says.answers = {{only}};
  start();
  REQUIRE(executor_says.sweeps.size() == 1);
  CHECK(executor_says.sweeps[0].empty());
  pass(60s);
  REQUIRE(executor_says.sweeps.size() == 2);
  CHECK(executor_says.sweeps[1] == std::vector{run_key{only.job, only.run_id}});
}

TEST_CASE_METHOD(one_runner, "stages are reported with one message out at a time",
                 "[actor][test_runner]") {
  auto only = order_of();
  ledger_says.answers = {{only}};
  start();
  auto step = stage{};
  step.name = "install_package";
  executor_says.news.stages = {{only.job, 0, step}, {only.job, 0, step}, {new_job_id(), 0, step}};
  executor_says.tell();
  sched.run();
  REQUIRE(ledger_says.progress.size() == 1);
  CHECK(ledger_says.progress[0].reports.size() == 2);
}

TEST_CASE_METHOD(one_runner, "progress with much output goes in messages of at most 1 MiB",
                 "[actor][test_runner]") {
  auto only = order_of();
  ledger_says.answers = {{only}};
  start();
  auto step = stage{};
  step.output = std::string(64 << 10, 'x');
  executor_says.news.stages = {40, stage_report{only.job, 0, step}};
  executor_says.tell();
  sched.run();
  CHECK(ledger_says.progress.size() == 3);
  auto all = size_t{0};
  for (const auto& message : ledger_says.progress) {
    CHECK(message.reports.size() <= 16);
    all += message.reports.size();
  }
  CHECK(all == 40);
}

TEST_CASE_METHOD(one_runner, "a claim that waited at a ledger that went is sent to the next one",
                 "[actor][test_runner]") {
  start();
  REQUIRE(ledger_says.claims.size() == 1);
  remove_ledger();
  pass(10s);
  CHECK(ledger_says.claims.size() == 1);
  ledger_says.answers = {{order_of()}};
  add_ledger();
  pass(2s);
  REQUIRE(ledger_says.claims.size() >= 2);
  CHECK(ledger_says.claims[1].nonce == ledger_says.claims[0].nonce);
}
