#include "actors/jobs/history_core.hpp"

#include "config/log.hpp"
#include "messages/time.hpp"

#include <algorithm>
#include <charconv>

namespace troupe {

namespace {

using namespace std::chrono_literals;

constexpr auto batch_bytes = uint32_t{4} << 20;
constexpr auto follow_wait = caf::timespan{25s};
constexpr auto first_backoff = caf::timespan{10ms};
constexpr auto longest_backoff = caf::timespan{1s};
constexpr auto cursor_step = uint64_t{8192};
constexpr auto retire_step = size_t{512};

} // namespace

history_core::history_core(self_pointer self, const directory* roles,
                           std::shared_ptr<history_table> table, history_options options)
  : self_{self}, roles_{roles}, options_{options}, index_{std::move(table)} {}

caf::timespan history_core::now() const {
  return std::chrono::duration_cast<caf::timespan>(self_->clock().now().time_since_epoch());
}

void history_core::start() {
  self_->set_down_handler([this](const caf::down_msg& message) { journal_gone(message); });
  if (auto why = index_.open()) {
    log(log_level::error, "job_history", "history cannot be read", {{"reason", one_line(why)}});
    self_->quit(why);
    return;
  }
  next_retire_ = now() + options_.retire_interval;
  follow();
}

void history_core::flush() {
  flush_scheduled_ = false;
  if (pulling_ || asked_.empty())
    return;
  round_ = std::exchange(asked_, {});
  round_began_ = now();
  pull();
}

/// Reads on until the journal's end.
void history_core::pull() {
  auto journal = roles_->find<journal_actor>("journal");
  if (!journal)
    return end_round(fault(ec::unavailable, "there is no journal"));
  pulling_ = true;
  self_
    ->request(
      journal, options_.read_timeout,
      read_events{index_.mark().sequence + 1, options_.batch_events, batch_bytes, caf::timespan{0}})
    .then(
      [this](const event_batch& got) {
        auto why = caf::error{};
        if (!take(got, why))
          return end_round(why);
        if (got.at_end)
          return end_round({});
        if (now() - round_began_ > options_.patience)
          return end_round(fault(ec::unavailable, "the job history is catching up"));
        pull();
      },
      [this](const caf::error& why) { end_round(skip_forgotten(why)); });
}

void history_core::end_round(const caf::error& why) {
  pulling_ = false;
  auto ready = std::exchange(round_, {});
  for (auto& x : ready)
    x(why);
  follow();
  flush();
}

/// Waits for what comes next, so that a round finds little to do.
void history_core::follow() {
  if (following_ || pulling_ || retry_follow_)
    return;
  auto journal = roles_->find<journal_actor>("journal");
  if (!journal)
    return follow_later();
  keep_cursor(false);
  following_ = true;
  if (followed_ != journal.address()) {
    followed_ = journal.address();
    self_->monitor(journal);
  }
  auto turn = follow_turn_;
  self_
    ->request(
      journal, follow_wait + options_.read_timeout,
      read_events{index_.mark().sequence + 1, options_.batch_events, batch_bytes, follow_wait})
    .then(
      [this, turn](const event_batch& got) {
        if (turn != follow_turn_)
          return;
        following_ = false;
        auto why = caf::error{};
        if (!take(got, why))
          return follow_later();
        backoff_ = caf::timespan{0};
        if (got.events.empty())
          keep_cursor(true);
        if (index_.mark().finished > options_.keep_jobs + retire_step)
          retire();
        follow();
      },
      [this, turn](const caf::error& why) {
        if (turn != follow_turn_)
          return;
        following_ = false;
        skip_forgotten(why);
        follow_later();
      });
}

/// The journal, or the link to it, has gone: nobody answers the read that waits there.
void history_core::journal_gone(const caf::down_msg& message) {
  if (message.source != followed_)
    return;
  followed_ = nullptr;
  ++follow_turn_;
  if (std::exchange(following_, false))
    follow_later();
}

void history_core::follow_later() {
  backoff_ = std::clamp(backoff_ * 2, first_backoff, longest_backoff);
  retry_follow_ = true;
  arm(now() + backoff_);
}

/// Applies a batch; false if it could not be stored.
bool history_core::take(const event_batch& batch, caf::error& why) {
  auto changed = index_.apply(batch);
  if (changed) {
    tell_waiters(*changed);
    return true;
  }
  why = std::move(changed.error());
  if (explain(why).code != ec::disk_full) {
    log(log_level::error, "job_history", "history cannot be written", {{"reason", one_line(why)}});
    self_->quit(why);
  }
  return false;
}

/// If the journal has forgotten events that were not applied, goes on at its
/// first one: answering from what is left is better than answering nothing.
caf::error history_core::skip_forgotten(const caf::error& why) {
  auto parts = explain(why);
  if (parts.code != ec::gone)
    return why;
  auto first = uint64_t{0};
  auto text = std::string_view{parts.place};
  std::from_chars(text.data(), text.data() + text.size(), first);
  log(log_level::error, "job_history", "events were forgotten before they were applied",
      {{"applied", index_.mark().sequence}, {"first", first}});
  if (first > 0)
    index_.skip_to(first);
  return fault(ec::unavailable, "the job history is catching up");
}

template <class T, class F>
caf::result<T> history_core::ask(F answer) {
  if (asked_.size() + round_.size() >= options_.most_waiting)
    return fault(ec::saturated, "too many questions wait for the job history");
  auto reply = self_->make_response_promise<T>();
  asked_.push_back([reply, answer = std::move(answer)](const caf::error& why) mutable {
    if (why)
      reply.deliver(why);
    else
      answer(reply);
  });
  if (!flush_scheduled_) {
    flush_scheduled_ = true;
    self_->send(self_, caf::flush_atom_v);
  }
  return reply;
}

caf::result<job_view> history_core::get(const get_job& what) {
  return ask<job_view>([this, what](auto reply) { answer_get(what, reply); });
}

caf::result<job_page> history_core::list(const list_jobs& what) {
  return ask<job_page>([this, what](auto reply) {
    if (auto got = index_.list(what))
      reply.deliver(std::move(*got));
    else
      reply.deliver(std::move(got.error()));
  });
}

caf::result<live_jobs> history_core::live(const read_live_jobs& what) {
  return ask<live_jobs>([this, what](auto reply) {
    if (auto got = index_.live(what))
      reply.deliver(std::move(*got));
    else
      reply.deliver(std::move(got.error()));
  });
}

void history_core::answer_get(const get_job& what, caf::typed_response_promise<job_view> reply) {
  auto got = index_.find(what.job);
  if (!got) {
    reply.deliver(std::move(got.error()));
    return;
  }
  // A finished job does not change any more: nothing to wait for.
  if (got->version > what.newer_than || what.wait <= caf::timespan{0}
      || got->state == job_state::finished) {
    reply.deliver(std::move(*got));
    return;
  }
  if (waiters_.size() >= options_.most_waiting) {
    reply.deliver(fault(ec::saturated, "too many wait for changes of jobs"));
    return;
  }
  auto until = now() + std::min(what.wait, options_.longest_wait);
  auto at = ++arrivals_;
  waiters_.emplace(at, waiter{what.job, what.newer_than, reply, until});
  waiters_of_.emplace(what.job, at);
  waits_until_.emplace(until, at);
  arm(until);
}

void history_core::tell_waiters(const std::vector<job_id>& changed) {
  if (waiters_.empty())
    return;
  for (const auto& job : changed) {
    auto [first, last] = waiters_of_.equal_range(job);
    if (first == last)
      continue;
    auto view = index_.find(job);
    while (first != last) {
      auto i = waiters_.find(first->second);
      if (view && view->version <= i->second.newer_than) {
        ++first;
        continue;
      }
      if (view)
        i->second.reply.deliver(*view);
      else
        i->second.reply.deliver(view.error());
      waits_until_.erase({i->second.until, i->first});
      waiters_.erase(i);
      first = waiters_of_.erase(first);
    }
  }
}

/// Answers those whose wait is over with what is.
void history_core::end_waits() {
  auto tick = now();
  while (!waits_until_.empty() && waits_until_.begin()->first <= tick) {
    auto i = waiters_.find(waits_until_.begin()->second);
    waits_until_.erase(waits_until_.begin());
    auto x = std::move(i->second);
    auto [first, last] = waiters_of_.equal_range(x.job);
    waiters_of_.erase(
      std::find_if(first, last, [&](const auto& y) { return y.second == i->first; }));
    waiters_.erase(i);
    if (auto view = index_.find(x.job))
      x.reply.deliver(std::move(*view));
    else
      x.reply.deliver(std::move(view.error()));
  }
}

/// Tells the journal how far this projection has come, so that it keeps the rest.
void history_core::keep_cursor(bool idle) {
  auto at = index_.mark().sequence;
  auto journal = roles_->find<journal_actor>("journal");
  auto first_time = cursor_kept_ == UINT64_MAX;
  if (!journal
      || (!first_time && (at == cursor_kept_ || (!idle && at < cursor_kept_ + cursor_step))))
    return;
  if (at > 0 && index_.keep_mark())
    return;
  cursor_kept_ = at;
  self_->request(journal, options_.read_timeout, cursor{options_.consumer, at})
    .then([](const cursor&) {}, [this](const caf::error& why) { keep_cursor_failed(why); });
}

/// A replica that was away for too long was evicted: it goes on with what is left.
void history_core::keep_cursor_failed(const caf::error& why) {
  cursor_kept_ = UINT64_MAX;
  auto journal = roles_->find<journal_actor>("journal");
  if (explain(why).code != ec::gone || !journal)
    return;
  log(log_level::error, "job_history", "this consumer was evicted, events are missing",
      {{"consumer", options_.consumer}, {"applied", index_.mark().sequence}});
  self_->request(journal, options_.read_timeout, caf::delete_atom_v, options_.consumer)
    .then([](const cursor&) {}, [](const caf::error&) {});
}

void history_core::retire() {
  auto got = index_.retire(troupe::now() - options_.keep_for, options_.keep_jobs, retire_step);
  if (!got && explain(got.error()).code != ec::disk_full)
    self_->quit(got.error());
  // While there is more to forget, go on soon, with room for questions between.
  auto more = got && *got == retire_step;
  next_retire_ = now() + (more ? caf::timespan{10ms} : options_.retire_interval);
  arm(next_retire_);
}

void history_core::arm(caf::timespan at) {
  if (armed_ != caf::timespan{0} && armed_ <= at)
    return;
  armed_ = std::max(at, caf::timespan{1});
  self_->delayed_send(self_, std::max(at - now(), caf::timespan{0}), caf::tick_atom_v);
}

void history_core::tick() {
  auto tick = now();
  if (armed_ <= tick)
    armed_ = caf::timespan{0};
  end_waits();
  if (std::exchange(retry_follow_, false))
    follow();
  if (tick >= next_retire_)
    retire();
  else
    arm(next_retire_);
  if (!waits_until_.empty())
    arm(waits_until_.begin()->first);
}

} // namespace troupe
