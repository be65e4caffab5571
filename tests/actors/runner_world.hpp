#pragma once

#include "actors/test_runner.hpp"
#include "tests/support/deterministic_system.hpp"

#include <algorithm>
#include <deque>

namespace troupe::tests {

using namespace std::chrono_literals;

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

inline job_ledger_actor::behavior_type ledger(job_ledger_actor::stateful_pointer<int> self,
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
    [=](const outside_report&) -> caf::result<report_answer> { return refuse; },
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

inline run_order order_of(uint32_t run_id = 0) {
  auto out = run_order{};
  out.job = new_job_id();
  out.run_id = run_id;
  out.kind = "test";
  out.lease = 60s;
  return out;
}

struct one_runner : deterministic_system {
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

} // namespace troupe::tests
