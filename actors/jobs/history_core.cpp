#include "actors/jobs/history_core.hpp"

#include "messages/time.hpp"

#include <algorithm>

namespace troupe {

namespace {

using namespace std::chrono_literals;

constexpr auto retire_step = size_t{512};

} // namespace

history_core::history_core(self_pointer self, const directory* roles,
                           std::shared_ptr<projection_table> table, history_options options)
  : self_{self}, roles_{roles}, options_{options}, index_{std::move(table)},
    pump_{self,
          roles,
          this,
          {.actor = "job_history",
           .consumer = options.consumer,
           .most_waiting = options.most_waiting,
           .batch_events = options.batch_events,
           .patience = options.patience,
           .read_timeout = options.read_timeout}} {}

caf::timespan history_core::now() const {
  return std::chrono::duration_cast<caf::timespan>(self_->clock().now().time_since_epoch());
}

void history_core::start() {
  next_retire_ = now() + options_.retire_interval;
  if (pump_.start())
    arm(next_retire_);
}

caf::error history_core::apply(const event_batch& batch) {
  auto changed = index_.apply(batch);
  if (!changed)
    return std::move(changed.error());
  tell_waiters(*changed);
  if (index_.mark().finished > options_.keep_jobs + retire_step)
    arm(next_retire_ = now());
  return {};
}

caf::result<job_view> history_core::get(const get_job& what) {
  return pump_.ask<job_view>([this, what](auto reply) { answer_get(what, reply); });
}

caf::result<job_page> history_core::list(const list_jobs& what) {
  return pump_.ask<job_page>([this, what](auto reply) {
    if (auto got = index_.list(what))
      reply.deliver(std::move(*got));
    else
      reply.deliver(std::move(got.error()));
  });
}

caf::result<live_jobs> history_core::live(const read_live_jobs& what) {
  return pump_.ask<live_jobs>([this, what](auto reply) {
    if (auto got = index_.live(what))
      reply.deliver(std::move(*got));
    else
      reply.deliver(std::move(got.error()));
  });
}

void history_core::answer_get(const get_job& what, caf::typed_response_promise<job_view> reply) {
  auto got = index_.find(what.job);
  if (!got) {
    if (explain(got.error()).code == ec::not_found && !options_.elder.empty())
      return ask_elder(what, std::move(reply));
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

/// A replica keeps less than the history that it stands in for, or has begun after it.
void history_core::ask_elder(const get_job& what, caf::typed_response_promise<job_view> reply) {
  auto elder = roles_->find<job_history_actor>(options_.elder);
  if (!elder) {
    reply.deliver(fault(ec::unavailable, "the job is not here, the node that may have it is away"));
    return;
  }
  auto limit = options_.read_timeout + std::min(what.wait, options_.longest_wait);
  self_->request(elder, limit, what)
    .then([reply](job_view& got) mutable { reply.deliver(std::move(got)); },
          [reply](caf::error& why) mutable { reply.deliver(std::move(why)); });
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
  pump_.tick();
  if (tick >= next_retire_)
    retire();
  else
    arm(next_retire_);
  if (!waits_until_.empty())
    arm(waits_until_.begin()->first);
}

} // namespace troupe
