#include "actors/test_runner.hpp"

#include "config/log.hpp"

#include <algorithm>
#include <cstdlib>

namespace troupe {

namespace {

using runner_pointer = test_runner_self::stateful_pointer<test_runner_state>;
using std::chrono::milliseconds;

constexpr auto most_runs = size_t{1024}; // of one message
// A claim that waits at the ledger is answered at once when the runner drains; this is for a silent
// ledger.
constexpr auto claim_grace = milliseconds{2'000};
constexpr auto greet_every = milliseconds{1'000};

void claim(runner_pointer self);
void send_reports(runner_pointer self);
void send_stages(runner_pointer self);

job_ledger_actor ledger_of(runner_pointer self) {
  return self->state.roles->find<job_ledger_actor>("jobs");
}

void later(runner_pointer self, milliseconds time, const char* what) {
  self->delayed_send(self, time, caf::tick_atom_v, std::string{what});
}

/// 200 ms, doubled by each failure to 5 s, spread by half so that runners do not march in step.
milliseconds backoff(runner_pointer self, uint32_t failures) {
  auto longest = milliseconds{200} * (1 << std::min(failures, 5u));
  longest = std::min(longest, milliseconds{5'000});
  auto spread = std::uniform_int_distribution<int64_t>{0, longest.count() / 2};
  return longest / 2 + milliseconds{spread(self->state.chance)};
}

runner_status status_of(runner_pointer self) {
  const auto& st = self->state;
  auto out = runner_status{};
  out.runner = st.options.name;
  out.boot = st.options.boot;
  out.driver = st.options.driver;
  out.queues = st.options.queues;
  out.capabilities = st.options.capabilities;
  out.slots = st.options.slots;
  out.busy = st.executing;
  out.broken = st.broken;
  out.draining = st.draining;
  return out;
}

void send_status(runner_pointer self) {
  if (auto ledger = ledger_of(self))
    self->request(ledger, self->state.options.request_timeout, status_of(self))
      .then([self, who = ledger.address()](uint32_t) { self->state.known_to = who; },
            [](caf::error&) {}); // the next one comes in a while
}

/// A new ledger knows whom to tell of cancellations when it has heard of this runner.
void greet_ledger(runner_pointer self) {
  if (auto ledger = ledger_of(self); ledger && ledger.address() != self->state.known_to)
    send_status(self);
}

/// Answers a drain when nothing of this runner is left with it.
void finish_drain(runner_pointer self) {
  auto& st = self->state;
  if (!st.draining || st.drained.empty())
    return;
  auto is_empty =
    st.executing == 0 && st.reports.empty() && (st.claims_out == 0 || st.claim_given_up);
  if (!is_empty && !st.drain_over)
    return;
  if (!st.reports.empty())
    log(log_level::warning, "test_runner", "results were not taken before the end",
        {{"results", st.reports.size()}});
  for (auto& promise : std::exchange(st.drained, {}))
    promise.deliver(st.handed_back);
}

void reports_taken(runner_pointer self, const finish_outcomes& reply) {
  auto& st = self->state;
  st.report_failures = 0;
  auto keys = st.reports.taken();
  for (auto i = size_t{0}; i < keys.size(); ++i) {
    if (i < reply.outcomes.size() && reply.outcomes[i] == finish_outcome::refused)
      log(log_level::info, "test_runner", "a result came too late",
          {{"job", to_string(keys[i].job)}, {"run", keys[i].run_id}});
    st.runs.erase(keys[i]);
  }
  send_reports(self);
  claim(self);
  finish_drain(self);
}

void pause_reports(runner_pointer self) {
  self->state.report_paused = true;
  later(self, backoff(self, self->state.report_failures++), "report");
}

void reports_failed(runner_pointer self, const caf::error& why) {
  auto& st = self->state;
  if (retryable(why)) {
    st.reports.failed();
  } else if (auto dropped = st.reports.refused(one_line(why))) {
    log(log_level::error, "test_runner", "a result is not accepted",
        {{"job", to_string(dropped->job)}, {"run", dropped->run_id}, {"why", one_line(why)}});
    st.runs.erase(*dropped);
  }
  pause_reports(self);
  finish_drain(self);
}

void send_reports(runner_pointer self) {
  auto& st = self->state;
  if (st.reports.empty() || st.report_paused)
    return;
  auto ledger = ledger_of(self);
  if (!ledger)
    return pause_reports(self);
  auto what = finish_runs{st.options.name, st.options.boot, st.reports.next()};
  if (what.reports.empty())
    return;
  self->request(ledger, st.options.request_timeout, std::move(what))
    .then([self](const finish_outcomes& x) { reports_taken(self, x); },
          [self](const caf::error& why) { reports_failed(self, why); });
}

void send_stages(runner_pointer self) {
  auto& st = self->state;
  auto ledger = ledger_of(self);
  if (st.stages_sent || st.stages.empty() || !ledger)
    return;
  st.stages_sent = true;
  auto what = report_stages{st.options.name, st.options.boot, st.stages.next()};
  auto next = [self] {
    self->state.stages_sent = false;
    send_stages(self);
  };
  // Progress is not repeated: the result of the run holds all stages.
  self->request(ledger, st.options.request_timeout, std::move(what))
    .then([next](uint32_t) { next(); }, [next](caf::error&) { next(); });
}

void schedule_renewal(runner_pointer self, milliseconds within) {
  auto& st = self->state;
  if (!std::exchange(st.renew_scheduled, true))
    later(self, within, "renew");
}

milliseconds renewal_period(const test_runner_state& st) {
  if (st.options.renew_every.count() > 0)
    return st.options.renew_every;
  auto shortest = caf::timespan{std::chrono::seconds{60}};
  for (const auto& [key, run] : st.runs)
    if (run.lease.count() > 0)
      shortest = std::min(shortest, run.lease);
  return std::max(std::chrono::duration_cast<milliseconds>(shortest / 3), milliseconds{50});
}

void leases_renewed(runner_pointer self, const std::vector<run_key>& asked,
                    const lease_states& reply) {
  auto& st = self->state;
  auto ended = std::vector<run_key>{};
  for (auto i = size_t{0}; i < std::min(asked.size(), reply.states.size()); ++i) {
    auto run = st.runs.find(asked[i]);
    if (run == st.runs.end() || run->second.finished || reply.states[i] == lease_state::held)
      continue;
    run->second.unwanted = reply.states[i] == lease_state::lost;
    ended.push_back(asked[i]);
  }
  if (!ended.empty())
    st.executor->stop(ended, reason::canceled);
}

void renew(runner_pointer self) {
  auto& st = self->state;
  st.renew_scheduled = false;
  if (st.runs.empty())
    return;
  auto period = renewal_period(st);
  auto ledger = ledger_of(self);
  if (!ledger)
    return schedule_renewal(self, period / 4);
  auto what = renew_leases{st.options.name, st.options.boot, {}};
  for (const auto& [key, run] : st.runs)
    what.runs.push_back(key);
  auto asked = what.runs;
  self->request(ledger, st.options.request_timeout, std::move(what))
    .then(
      [=, asked = std::move(asked)](const lease_states& x) {
        leases_renewed(self, asked, x);
        schedule_renewal(self, period);
      },
      [=](caf::error&) { schedule_renewal(self, period / 4); });
}

void hand_back(runner_pointer self, const std::vector<run_order>& orders) {
  auto& st = self->state;
  for (const auto& order : orders) {
    if (!st.runs
           .emplace(run_key{order.job, order.run_id},
                    test_runner_state::held_run{order.lease, true})
           .second)
      continue;
    st.reports.push({order.job,
                     order.run_id,
                     verdict_of(reason::worker_shutdown),
                     reason::worker_shutdown,
                     "the runner is shutting down",
                     {}});
    ++st.handed_back;
  }
  send_reports(self);
}

void runs_claimed(runner_pointer self, std::vector<run_order> orders) {
  auto& st = self->state;
  if (st.draining) {
    hand_back(self, orders);
    return finish_drain(self);
  }
  st.claiming = false;
  st.claim_failures = 0;
  st.nonce.clear();
  auto fresh = std::vector<run_order>{};
  for (auto& order : orders)
    if (st.runs.emplace(run_key{order.job, order.run_id}, test_runner_state::held_run{order.lease})
          .second)
      fresh.push_back(std::move(order));
  st.executing += static_cast<uint32_t>(fresh.size());
  if (!fresh.empty()) {
    st.executor->start(std::move(fresh));
    schedule_renewal(self, renewal_period(st));
  }
  claim(self);
}

void claim_failed(runner_pointer self) {
  // `claiming` stays: the same claim goes out again, with the same nonce, because its answer may
  // be lost.
  later(self, backoff(self, self->state.claim_failures++), "claim");
}

/// Sends the claim of the present nonce.
void send_claim(runner_pointer self, const job_ledger_actor& ledger, milliseconds wait) {
  auto& st = self->state;
  auto what = claim_runs{};
  what.runner = st.options.name;
  what.boot = st.options.boot;
  what.nonce = st.nonce;
  what.queues = st.options.queues;
  what.capabilities = st.options.capabilities;
  what.max_runs = st.claim_size;
  what.wait = wait;
  if (st.asked != ledger.address()) {
    st.asked = ledger.address();
    self->monitor(ledger);
  }
  ++st.claims_out;
  auto turn = st.claim_turn;
  self->request(ledger, wait + st.options.request_timeout, std::move(what))
    .then(
      [self, turn](claimed_runs& x) {
        if (turn != self->state.claim_turn)
          return; // given up when the ledger went; the same nonce gets the same runs
        --self->state.claims_out;
        runs_claimed(self, std::move(x.orders));
      },
      [self, turn](const caf::error& why) {
        if (turn != self->state.claim_turn)
          return;
        if (explain(why).code == ec::conflict && self->state.claim_failures == 0)
          log(log_level::error, "test_runner", "a runner of this name has started elsewhere",
              {{"runner", self->state.options.name}, {"why", one_line(why)}});
        --self->state.claims_out;
        claim_failed(self);
        finish_drain(self);
      });
}

/// A ledger that has gone answers no claim: CAF fails a request to another node
/// only when its time is over.
void ledger_gone(runner_pointer self, const caf::down_msg& message) {
  auto& st = self->state;
  if (message.source != st.asked)
    return;
  st.asked = nullptr;
  ++st.claim_turn;
  if (std::exchange(st.claims_out, 0) == 0)
    return;
  claim_failed(self);
  finish_drain(self);
}

/// Asks for as many runs as there is room for.
void claim(runner_pointer self) {
  auto& st = self->state;
  auto room = st.options.slots * std::max(st.options.prefetch, 1u);
  if (st.claiming || st.draining || !st.broken.empty() || st.executing >= room
      || st.reports.size() >= most_runs + room)
    return;
  st.claiming = true;
  auto ledger = ledger_of(self);
  if (!ledger)
    return later(self, greet_every, "claim");
  if (st.nonce.empty()) {
    st.nonce = random_token();
    st.claim_size = std::min<uint32_t>(room - st.executing, most_runs);
  }
  send_claim(self, ledger, st.options.claim_wait);
}

/// Asks for what an unanswered claim may have got. The ledger lets it take the
/// place of the one that waits there, so nothing is leased to nobody.
void call_back_claim(runner_pointer self) {
  auto ledger = ledger_of(self);
  if (!self->state.nonce.empty() && ledger)
    send_claim(self, ledger, milliseconds{1});
}

void check(runner_pointer self) {
  if (!std::exchange(self->state.checking, true))
    self->state.executor->check();
}

void checked(runner_pointer self, const caf::error& fault) {
  auto& st = self->state;
  st.checking = false;
  auto broken = fault ? one_line(fault) : std::string{};
  if (fault && broken.empty())
    broken = "the driver is not fit";
  if (broken == st.broken)
    return;
  log(broken.empty() ? log_level::info : log_level::error, "test_runner",
      broken.empty() ? "runner is ready" : "runner is broken",
      {{"runner", st.options.name}, {"why", broken}});
  st.broken = std::move(broken);
  send_status(self);
  claim(self);
}

/// Whether a result throws doubt on the host.
bool blames_host(reason why) {
  return why == reason::env_lost || why == reason::exec_infra || why == reason::env_start_failed;
}

void take_finished(runner_pointer self, std::vector<run_report> finished) {
  auto& st = self->state;
  for (auto& report : finished) {
    auto run = st.runs.find({report.job, report.run_id});
    if (run == st.runs.end() || run->second.finished)
      continue;
    --st.executing;
    if (blames_host(report.why) && st.broken.empty()) {
      st.broken = "checked after " + std::string{name_of(report.why)}; // no claim until it is known
      send_status(self);
    }
    if (blames_host(report.why))
      check(self);
    if (run->second.unwanted) {
      st.runs.erase(run);
      continue;
    }
    run->second.finished = true;
    if (report.why == reason::worker_shutdown)
      ++st.handed_back;
    st.reports.push(std::move(report));
  }
}

void take_news(runner_pointer self) {
  auto& st = self->state;
  auto news = st.executor->take();
  take_finished(self, std::move(news.finished));
  for (auto& report : news.stages) {
    auto run = st.runs.find({report.job, report.run_id});
    if (run != st.runs.end() && !run->second.finished && !run->second.unwanted)
      st.stages.push(std::move(report));
  }
  if (news.check)
    checked(self, *news.check);
  send_stages(self);
  send_reports(self);
  claim(self);
  finish_drain(self);
}

std::vector<run_key> executing_runs(const test_runner_state& st) {
  auto out = std::vector<run_key>{};
  for (const auto& [key, run] : st.runs)
    if (!run.finished)
      out.push_back(key);
  return out;
}

void cancel(runner_pointer self, const cancel_runs& what) {
  auto& st = self->state;
  auto mine = std::vector<run_key>{};
  for (const auto& key : what.runs)
    if (auto run = st.runs.find(key); run != st.runs.end() && !run->second.finished)
      mine.push_back(key);
  if (!mine.empty())
    st.executor->stop(mine, reason::canceled);
}

caf::result<uint32_t> drain(runner_pointer self) {
  auto& st = self->state;
  auto promise = self->make_response_promise<uint32_t>();
  st.drained.push_back(promise);
  if (!std::exchange(st.draining, true)) {
    send_status(self);
    call_back_claim(self);
    st.executor->stop_waiting(reason::worker_shutdown);
    later(self, std::min(claim_grace, st.options.drain_deadline), "claim grace");
    later(self, st.options.drain_deadline, "drain deadline");
    later(self, st.options.drain_deadline + st.options.last_reports, "drain over");
  }
  finish_drain(self);
  return promise;
}

void on_timer(runner_pointer self, const std::string& what) {
  auto& st = self->state;
  if (what == "claim") {
    st.claiming = false;
    claim(self);
  } else if (what == "report") {
    st.report_paused = false;
    send_reports(self);
  } else if (what == "renew") {
    renew(self);
  } else if (what == "status") {
    send_status(self);
    send_stages(self);
    later(self, st.options.status_every, "status");
  } else if (what == "greet") {
    greet_ledger(self);
    later(self, greet_every, "greet");
  } else if (what == "check") {
    check(self);
    later(self, st.options.check_every, "check");
  } else if (what == "sweep") {
    st.executor->sweep(executing_runs(st));
    later(self, st.options.sweep_every, "sweep");
  } else if (what == "claim grace") {
    st.claim_given_up = true;
    finish_drain(self);
  } else if (what == "drain deadline") {
    st.executor->stop(executing_runs(st), reason::worker_shutdown);
  } else if (what == "drain over") {
    st.drain_over = true;
    finish_drain(self);
  }
}

} // namespace

void read_test_runner_options(section& in, test_runner_options& options) {
  in.read("name", options.name);
  in.read("driver", options.driver);
  in.read("slots", options.slots, 1, 256);
  in.read("prefetch", options.prefetch, 1, 256);
  in.read("queues", options.queues);
  in.read("capabilities", options.capabilities);
  in.read("drain_deadline", options.drain_deadline);
}

test_runner_self::behavior_type test_runner(runner_pointer self, const directory* roles,
                                            test_runner_options options, make_run_executor make) {
  auto& st = self->state;
  st.options = std::move(options);
  st.roles = roles;
  // A restarted actor has lost the runs of the one before it, so it is a new one to the ledger too.
  st.options.boot += (st.options.boot.empty() ? "" : ".") + random_token().substr(0, 8);
  st.executor = make([me = caf::actor_cast<caf::actor_addr>(self)] {
    if (auto alive = caf::actor_cast<caf::actor>(me))
      caf::anon_send(alive, caf::update_atom_v);
  });
  self->set_default_handler(caf::drop);
  self->set_down_handler([self](const caf::down_msg& x) { ledger_gone(self, x); });
  // What an earlier process left is gone before the first claim: both are done in this order.
  on_timer(self, "sweep");
  on_timer(self, "check");
  on_timer(self, "status");
  later(self, greet_every, "greet");
  return {
    [=](const cancel_runs& what) { cancel(self, what); },
    [=](status_atom) { return status_of(self); },
    [=](drain_atom) { return drain(self); },
    [=](caf::update_atom) { take_news(self); },
    [=](caf::tick_atom, const std::string& what) { on_timer(self, what); },
  };
}

} // namespace troupe
