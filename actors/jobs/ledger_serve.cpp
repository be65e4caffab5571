#include "actors/jobs/job_checks.hpp"
#include "actors/jobs/ledger_core.hpp"

#include <caf/actor_cast.hpp>
#include <caf/send.hpp>

#include <algorithm>

/// What runners ask of the ledger, and what it tells them.
namespace troupe {

namespace {

constexpr auto most_untold = size_t{4096}; // runs of one runner

} // namespace

/// Returns the node that the present message came from. Call it before a promise
/// is made: that takes the sender away. Errors: `ec::unavailable`.
caf::expected<std::string> ledger_core::node_of_sender() const {
  auto sender = self_->current_sender();
  if (!options_.node_of || !sender)
    return std::string{};
  if (auto node = options_.node_of(sender->node()))
    return std::move(*node);
  return fault(ec::unavailable, "the runner's node has gone");
}

/// The sender of the present message is who this runner is now. Call it before
/// a promise is made: that takes the sender away.
void ledger_core::listen_to(const std::string& runner) {
  if (listeners_.size() >= options_.max_runners && !listeners_.contains(runner))
    std::erase_if(listeners_, [](const auto& x) { return !x.second.lock(); });
  if (listeners_.size() >= options_.max_runners && !listeners_.contains(runner))
    return;
  listeners_[runner] = caf::actor_cast<caf::weak_actor_ptr>(self_->current_sender());
  if (auto late = untold_.extract(runner))
    tell(runner, late.mapped());
}

/// Tells a runner of runs to stop, now or when it is heard of again.
void ledger_core::tell(const std::string& runner, const cancel_runs& what) {
  if (auto i = listeners_.find(runner); i != listeners_.end())
    if (auto who = i->second.lock()) {
      caf::anon_send(caf::actor_cast<caf::actor>(who), what);
      return;
    }
  if (untold_.size() >= options_.max_runners && !untold_.contains(runner))
    return; // it learns of it when it renews
  auto& runs = untold_[runner].runs;
  if (runs.size() < most_untold)
    runs.insert(runs.end(), what.runs.begin(), what.runs.end());
}

caf::result<claimed_runs> ledger_core::claim(claim_runs what) {
  if (auto why = closed())
    return why;
  if (auto why = check(what))
    return why;
  auto node = node_of_sender();
  if (!node)
    return std::move(node.error());
  if (auto why = state_.check_speaker(what.runner, what.boot, *node, now()))
    return why;
  listen_to(what.runner);
  if (!full_) {
    auto got = state_.claim(what, now(), *node);
    if (!got)
      return std::move(got.error());
    if (!got->orders.empty() || what.wait == caf::timespan{0})
      return reply_when_durable(std::move(*got));
    schedule_flush(); // a new boot may have requeued runs
  } else if (what.wait == caf::timespan{0}) {
    return claimed_runs{};
  }
  // The same claim again replaces the one that waits.
  for (auto i = waiting_.begin(); i != waiting_.end(); ++i)
    if (i->second.what.runner == what.runner && i->second.what.nonce == what.nonce) {
      i->second.reply.deliver(claimed_runs{});
      waiting_until_.erase({i->second.until, i->first});
      waiting_.erase(i);
      break;
    }
  if (waiting_.size() >= options_.max_waiting_claims)
    return fault(ec::saturated, "too many claims wait for work");
  auto until = now().tick + std::min(what.wait, options_.longest_wait);
  auto reply = self_->make_response_promise<claimed_runs>();
  auto at = ++arrivals_;
  waiting_.emplace(at, waiting_claim{std::move(what), std::move(*node), reply, until});
  waiting_until_.emplace(until, at);
  arm();
  return reply;
}

/// Offers work that became claimable to those who wait, the oldest claim first.
void ledger_core::serve_waiting() {
  if (full_ || phase_ != phase::serving)
    return;
  auto at = now();
  for (auto i = waiting_.begin(); i != waiting_.end();) {
    auto got = state_.claim(i->second.what, at, i->second.node);
    if (got && got->orders.empty()) {
      ++i;
      continue;
    }
    auto reply = i->second.reply;
    waiting_until_.erase({i->second.until, i->first});
    i = waiting_.erase(i);
    if (!got)
      reply.deliver(std::move(got.error()));
    else
      when_durable([reply, x = std::move(*got)](const caf::error& why) mutable {
        if (why)
          reply.deliver(why);
        else
          reply.deliver(std::move(x));
      });
  }
}

void ledger_core::end_waiting(caf::timespan tick) {
  while (!waiting_until_.empty() && waiting_until_.begin()->first <= tick) {
    auto i = waiting_.find(waiting_until_.begin()->second);
    waiting_until_.erase(waiting_until_.begin());
    i->second.reply.deliver(claimed_runs{});
    waiting_.erase(i);
  }
}

/// Answers the waiting claims of a runner that cannot work now with nothing.
void ledger_core::dismiss(const std::string& runner) {
  for (auto i = waiting_.begin(); i != waiting_.end();) {
    if (i->second.what.runner != runner) {
      ++i;
      continue;
    }
    i->second.reply.deliver(claimed_runs{});
    waiting_until_.erase({i->second.until, i->first});
    i = waiting_.erase(i);
  }
}

caf::result<lease_states> ledger_core::renew(const renew_leases& what) {
  if (auto why = closed())
    return why;
  if (auto why = check_runner(what.runner, what.boot))
    return why;
  auto node = node_of_sender();
  if (!node)
    return std::move(node.error());
  if (!state_.check_speaker(what.runner, what.boot, *node, now()))
    listen_to(what.runner);
  auto got = state_.renew(what, now(), *node);
  // That a lease is held is no decision; what ends a run must be durable first.
  if (!state_.has_events() && std::all_of(got.states.begin(), got.states.end(), [](lease_state x) {
        return x == lease_state::held;
      }))
    return got;
  return reply_when_durable(std::move(got));
}

caf::result<finish_outcomes> ledger_core::finish(finish_runs what) {
  if (auto why = refuses_decisions())
    return why;
  if (auto why = check(what))
    return why;
  auto node = node_of_sender();
  if (!node)
    return std::move(node.error());
  return reply_when_durable(state_.finish(std::move(what), now(), *node));
}

caf::result<uint32_t> ledger_core::report(report_stages what) {
  if (auto why = refuses_decisions())
    return why;
  if (auto why = check(what))
    return why;
  auto node = node_of_sender();
  if (!node)
    return std::move(node.error());
  return reply_when_durable(state_.report(std::move(what), now(), *node));
}

caf::result<report_answer> ledger_core::report(const outside_report& what) {
  if (auto why = refuses_decisions())
    return why;
  if (auto why = check(what))
    return why;
  return reply_when_durable(state_.report(what, now()));
}

caf::result<uint32_t> ledger_core::hear(runner_status what) {
  if (auto why = closed())
    return why;
  if (auto why = check(what))
    return why;
  auto node = node_of_sender();
  if (!node)
    return std::move(node.error());
  if (auto why = state_.check_speaker(what.runner, what.boot, *node, now()))
    return why;
  if (full_ && state_.ends_runs(what.runner, what.boot))
    return refuses_decisions();
  listen_to(what.runner);
  if (!what.broken.empty() || what.draining)
    dismiss(what.runner);
  if (auto why = state_.hear(std::move(what), now(), *node))
    return why;
  if (state_.has_events())
    schedule_flush(); // a new boot ended the runs of the old one
  return uint32_t{1};
}

caf::result<runner_list> ledger_core::runners() {
  if (auto why = closed())
    return why;
  return state_.runners(now());
}

caf::result<queue_list> ledger_core::queues() {
  if (auto why = closed())
    return why;
  return state_.queues(now());
}

/// Tells runners of runs to stop, when that is durable.
void ledger_core::tell_runners() {
  auto by_runner = std::map<std::string, cancel_runs>{};
  for (auto& x : state_.take_notices())
    by_runner[x.runner].runs.push_back(x.run);
  for (auto& [runner, runs] : by_runner)
    releases_.emplace_back([this, name = runner, what = runs](const caf::error& why) {
      if (!why)
        tell(name, what);
    });
}

} // namespace troupe
