#include "actors/test_runner.hpp"
#include "tests/support/deterministic_system.hpp"

#include <algorithm>
#include <deque>

using namespace troupe;
using namespace std::chrono_literals;

namespace {

/// What the ledger was asked, and what it answers next.
struct ledger_script {
  std::vector<claim_runs> claims;
  std::vector<finish_runs> finishes;
  std::vector<renew_leases> renewals;
  std::vector<report_stages> progress;
  std::vector<runner_status> statuses;
  std::deque<std::vector<run_order>> answers; ///< One per claim; without one the claim waits.
  std::vector<caf::typed_response_promise<claimed_runs>> waiting;
  lease_state state = lease_state::held;
  finish_outcome outcome = finish_outcome::accepted;
  ec finish_fault{};
  bool silent = false; ///< Answers claims and results never.
};

job_ledger_actor::behavior_type ledger(job_ledger_actor::stateful_pointer<int> self,
                                       ledger_script* script) {
  auto refuse = fault(ec::unsupported, "not asked by a runner");
  return {
    [=](const submit_job&) -> caf::result<job_accepted> { return refuse; },
    [=](const submit_jobs&) -> caf::result<jobs_accepted> { return refuse; },
    [=](const cancel_job&) -> caf::result<job_status> { return refuse; },
    [=](const retry_job&) -> caf::result<job_accepted> { return refuse; },
    [=](const claim_runs& x) -> caf::result<claimed_runs> {
      script->claims.push_back(x);
      auto reply = self->make_response_promise<claimed_runs>();
      if (script->silent)
        return reply;
      // The same claim again takes the place of the one that waits.
      for (auto& old : std::exchange(script->waiting, {}))
        old.deliver(claimed_runs{});
      if (!script->answers.empty()) {
        reply.deliver(claimed_runs{script->answers.front()});
        script->answers.pop_front();
      } else if (x.wait <= 1ms) {
        reply.deliver(claimed_runs{});
      } else {
        script->waiting.push_back(reply);
      }
      return reply;
    },
    [=](const renew_leases& x) {
      script->renewals.push_back(x);
      return lease_states{std::vector(x.runs.size(), script->state)};
    },
    [=](const finish_runs& x) -> caf::result<finish_outcomes> {
      script->finishes.push_back(x);
      if (script->silent)
        return self->make_response_promise<finish_outcomes>();
      if (script->finish_fault != ec{})
        return fault(script->finish_fault, "no");
      return finish_outcomes{std::vector(x.reports.size(), script->outcome)};
    },
    [=](const report_stages& x) {
      script->progress.push_back(x);
      return static_cast<uint32_t>(x.reports.size());
    },
    [=](const runner_status& x) {
      script->statuses.push_back(x);
      return uint32_t{1};
    },
    [](runners_atom) { return runner_list{}; },
    [=](queues_atom) {
      // A promise is kept by its own actor only, so the test asks for it this way.
      for (auto& old : std::exchange(script->waiting, {})) {
        old.deliver(claimed_runs{script->answers.front()});
        script->answers.pop_front();
      }
      return queue_list{};
    },
    [](drain_atom) { return uint32_t{0}; },
  };
}

/// Executes nothing; the test says what happens.
struct executor_script {
  std::vector<run_order> begun;
  std::vector<std::pair<run_key, reason>> stopped;
  std::vector<std::vector<run_key>> sweeps;
  run_news news;
  std::function<void()> tell;
  caf::error fitness;
  int checks = 0;
  bool stops_at_once = false;
};

class scripted_executor : public run_executor {
public:
  explicit scripted_executor(executor_script* script) : script_{script} {}

  void start(std::vector<run_order> orders) override {
    for (auto& order : orders)
      script_->begun.push_back(std::move(order));
  }
  void stop(const std::vector<run_key>& runs, reason why) override {
    for (const auto& key : runs) {
      script_->stopped.emplace_back(key, why);
      if (script_->stops_at_once) {
        script_->news.finished.push_back({key.job, key.run_id, verdict_of(why), why, {}, {}});
        script_->tell();
      }
    }
  }
  void stop_waiting(reason) override {}
  void check() override {
    ++script_->checks;
    script_->news.check = script_->fitness;
    script_->tell();
  }
  void sweep(std::vector<run_key> alive) override {
    script_->sweeps.push_back(std::move(alive));
  }
  run_news take() override {
    return std::exchange(script_->news, {});
  }

private:
  executor_script* script_;
};

run_order order_of(uint32_t run_id = 0) {
  auto out = run_order{};
  out.job = new_job_id();
  out.run_id = run_id;
  out.kind = "test";
  out.lease = 60s;
  return out;
}

struct one_runner : tests::deterministic_system {
  directory roles;
  ledger_script ledger_says;
  executor_script executor_says;
  test_runner_actor runner;

  one_runner() {
    add_ledger();
  }
  ~one_runner() {
    remove_ledger();
    if (runner)
      caf::anon_send_exit(std::exchange(runner, {}), caf::exit_reason::user_shutdown);
    sched.run();
  }

  void add_ledger() {
    roles.assign("jobs", caf::actor_cast<caf::strong_actor_ptr>(sys.spawn(ledger, &ledger_says)));
  }

  void remove_ledger() {
    ledger_says.waiting.clear();
    if (auto who = roles.find<job_ledger_actor>("jobs"))
      caf::anon_send_exit(who, caf::exit_reason::user_shutdown);
    roles.assign("jobs", nullptr);
    sched.run();
  }

  void start(uint32_t slots = 2) {
    auto options = test_runner_options{};
    options.name = "r1";
    options.boot = "b1";
    options.driver = "fake";
    options.slots = slots;
    options.queues = {"fake-x86_64-0"};
    runner = sys.spawn(test_runner, &roles, options, [this](std::function<void()> tell) {
      executor_says.tell = std::move(tell);
      return std::make_unique<scripted_executor>(&executor_says);
    });
    sched.run();
  }

  void pass(std::chrono::milliseconds time) {
    sched.advance_time(time);
    sched.run();
  }

  void finish(const run_order& order, reason why = reason::none) {
    executor_says.news.finished.push_back({order.job, order.run_id, verdict_of(why), why, {}, {}});
    executor_says.tell();
    sched.run();
  }

  /// Sends and runs, but waits for no answer.
  template <class... Ts>
  void tell_runner(Ts... xs) {
    caf::anon_send(runner, std::move(xs)...);
    sched.run();
  }

  runner_status status() {
    auto out = ask<runner_status>(runner, status_atom_v);
    REQUIRE(out);
    return *out;
  }
};

} // namespace

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
