#include "actors/jobs/ledger_core.hpp"

#include "config/log.hpp"
#include "messages/time.hpp"

#include <algorithm>

namespace troupe {

namespace {

using namespace std::chrono_literals;

constexpr auto most_group_bytes = size_t{1} << 20;
/// Far below what the journal takes at once: an append that it refuses ends the ledger.
constexpr auto most_decided_bytes = size_t{4} << 20;
constexpr auto disk_check_interval = caf::timespan{1s};
constexpr auto longest_sleep = caf::timespan{10s};

} // namespace

ledger_core::ledger_core(self_pointer self, const directory* roles, ledger_options options)
  : self_{self}, roles_{roles}, options_{std::move(options)}, state_{options_} {}

moment ledger_core::now() const {
  auto tick = std::chrono::duration_cast<caf::timespan>(self_->clock().now().time_since_epoch());
  return {troupe::now(), tick + options_.suspended()};
}

caf::error ledger_core::closed() const {
  if (phase_ == phase::serving && !failed_)
    return {};
  if (phase_ != phase::draining && why_closed_ && explain(why_closed_).code == ec::disk_full)
    return why_closed_;
  return fault(ec::unavailable, phase_ == phase::draining ? "the job ledger is stopping"
                                                          : "the job ledger is starting");
}

caf::error ledger_core::refuses_decisions() const {
  if (auto why = closed())
    return why;
  if (full_)
    return fault(ec::disk_full, "the journal takes nothing: its disk is full");
  return {};
}

/// One flush comes after the burst of messages that is in the mailbox now.
void ledger_core::schedule_flush() {
  if (flush_scheduled_)
    return;
  flush_scheduled_ = true;
  self_->send(self_, caf::flush_atom_v);
}

void ledger_core::when_durable(release what) {
  releases_.push_back(std::move(what));
  schedule_flush();
}

void ledger_core::flush() {
  flush_scheduled_ = false;
  if (failed_ || phase_ == phase::opening || phase_ == phase::loading)
    return;
  if (state_.take_arrivals())
    serve_waiting();
  tell_runners();
  send_decisions();
  send_submissions();
  watch_disk();
  arm();
  maybe_drained();
}

void ledger_core::send_decisions() {
  if (!state_.has_events()) {
    if (releases_.empty())
      return;
    if (decided_.empty())
      decided_.push_back({true, {}});
    auto& last = decided_.back().releases;
    std::move(releases_.begin(), releases_.end(), std::back_inserter(last));
    releases_.clear();
    settle();
    return;
  }
  while (in_flight_ < most_in_flight && state_.has_events() && !failed_)
    send_decided(state_.take_events(most_decided_bytes));
}

/// Appends decisions. A decision is one event, so an append may end after any of
/// them; what waits for them is released when the last one is durable.
void ledger_core::send_decided(std::vector<event> events) {
  auto message = append_events{"jobs", epoch_, {}};
  auto bytes = most_group_bytes;
  for (auto& x : events) {
    if (bytes >= most_group_bytes) {
      message.groups.emplace_back();
      bytes = 0;
    }
    bytes += x.payload.size();
    message.groups.back().events.push_back(std::move(x));
  }
  decided_.push_back({});
  if (!state_.has_events())
    decided_.back().releases = std::exchange(releases_, {});
  auto* batch = &decided_.back(); // a deque keeps its elements in place
  append(
    std::move(message),
    [this, batch](append_results&) {
      batch->durable = true;
      settle();
    },
    // Memory is ahead of the journal now, so it is not worth anything.
    [this](const caf::error& why) { fail(why); });
}

/// Releases what is durable, in the order of the decisions.
void ledger_core::settle() {
  while (!decided_.empty() && decided_.front().durable) {
    auto ready = std::move(decided_.front().releases);
    decided_.pop_front();
    for (auto& x : ready)
      x({});
  }
}

void ledger_core::append(append_events what, std::function<void(append_results&)> good,
                         std::function<void(const caf::error&)> bad) {
  auto journal = roles_->find<journal_actor>("journal");
  if (!journal)
    return bad(fault(ec::unavailable, "there is no journal"));
  auto groups = what.groups.size();
  ++in_flight_;
  self_->request(journal, options_.append_timeout, std::move(what))
    .then(
      [this, groups, good](append_results& got) {
        --in_flight_;
        if (got.results.size() != groups)
          return fail(fault(ec::corrupt, "the journal answered for another append"));
        good(got);
        schedule_flush();
      },
      [this, bad](const caf::error& why) {
        --in_flight_;
        bad(why);
        schedule_flush();
      });
}

/// Ends this actor: what it decided and what is durable may differ.
void ledger_core::fail(const caf::error& why) {
  if (failed_)
    return;
  failed_ = true;
  log(log_level::error, "job_ledger", "append failed, starting anew", {{"reason", one_line(why)}});
  auto answer =
    explain(why).code == ec::disk_full ? why : fault(ec::unavailable, "the job ledger starts anew");
  for (auto& batch : decided_)
    for (auto& x : batch.releases)
      x(answer);
  for (auto& x : releases_)
    x(answer);
  for (auto& batch : batches_)
    refuse_submissions(batch, answer);
  for (const auto& batch : sent_)
    refuse_submissions(*batch, answer);
  for (auto& [at, x] : waiting_)
    x.reply.deliver(answer);
  for (auto& x : drains_)
    x.deliver(answer);
  self_->quit(why);
}

/// Learns of a full disk before a decision runs into it, and of free space again.
void ledger_core::watch_disk() {
  auto tick = now().tick;
  if (checking_disk_ || phase_ != phase::serving || (in_flight_ == 0 && !full_)
      || tick - disk_checked_ < disk_check_interval)
    return;
  auto journal = roles_->find<journal_actor>("journal");
  if (!journal)
    return;
  disk_checked_ = tick;
  checking_disk_ = true;
  self_->request(journal, options_.append_timeout, status_atom_v)
    .then(
      [this](const journal_status& got) {
        checking_disk_ = false;
        full_ = !got.accepting;
        if (!full_)
          serve_waiting();
        arm();
      },
      [this](const caf::error&) {
        checking_disk_ = false;
        arm();
      });
}

/// Timers sleep while the host does, so none is set further ahead than `longest_sleep`.
void ledger_core::arm() {
  if (phase_ != phase::serving)
    return;
  auto earliest = std::optional<caf::timespan>{};
  auto at_least = [&](caf::timespan x) {
    if (!earliest || x < *earliest)
      earliest = x;
  };
  auto tick = now().tick;
  if (full_ && !checking_disk_)
    at_least(std::max(disk_checked_ + disk_check_interval, tick + 10ms));
  if (auto x = state_.next_alarm(); x && !full_)
    at_least(std::min(*x, tick + longest_sleep));
  if (!waiting_until_.empty())
    at_least(waiting_until_.begin()->first);
  if (!earliest || (armed_ != caf::timespan{0} && armed_ <= *earliest))
    return;
  armed_ = std::max(*earliest, caf::timespan{1});
  self_->delayed_send(self_, std::max(*earliest - tick, caf::timespan{0}), caf::tick_atom_v);
}

void ledger_core::tick() {
  if (failed_)
    return;
  auto at = now();
  if (armed_ != caf::timespan{0} && at.tick - armed_ > options_.longest_pause) {
    log(log_level::warning, "job_ledger", "this process stood still, leases get a full term",
        {{"for", to_short_text(at.tick - armed_)}});
    state_.excuse_silence(at);
  }
  if (armed_ <= at.tick)
    armed_ = caf::timespan{0};
  if (phase_ == phase::opening || phase_ == phase::loading) {
    if (std::exchange(trying_again_, false))
      phase_ == phase::opening ? open() : load_page();
    return;
  }
  end_waiting(at.tick);
  if (phase_ == phase::serving && !full_)
    state_.expire(at); // what is left is due at once: `arm` comes back to it
  schedule_flush();
}

caf::result<uint32_t> ledger_core::drain() {
  auto reply = self_->make_response_promise<uint32_t>();
  phase_ = phase::draining;
  for (auto& [at, x] : waiting_)
    x.reply.deliver(claimed_runs{});
  waiting_.clear();
  waiting_until_.clear();
  drains_.push_back(reply);
  schedule_flush();
  return reply;
}

void ledger_core::maybe_drained() {
  if (drains_.empty() || in_flight_ > 0 || state_.has_events() || !releases_.empty()
      || !batches_.empty())
    return;
  for (auto& x : drains_)
    x.deliver(static_cast<uint32_t>(state_.jobs()));
  drains_.clear();
}

} // namespace troupe
