#include "actors/jobs/ledger_outside.hpp"
#include "actors/jobs/ledger_state.hpp"

#include <algorithm>

/// How each event changes the ledger, live and after a restart.
namespace troupe {

namespace {

/// What is left of `span` that began at `since`, measured by the wall clock: at
/// least `least`, never more than all of it, however the clock was moved.
caf::timespan rest_of(caf::timespan span, caf::timestamp since, caf::timestamp now,
                      caf::timespan least) {
  return std::clamp(span - (now - since), std::min(least, span), span);
}

} // namespace

void ledger_state::enqueue(job_queued what, caf::timestamp queued_at, moment now) {
  auto [i, fresh] = jobs_.try_emplace(what.job);
  if (!fresh)
    return;
  auto& job = i->second;
  auto& from = what.what;
  job.id = what.job;
  job.way = &lane_of(from.queue, from.capabilities);
  ++job.way->users;
  ++job.way->queue().queued;
  job.spec = std::move(from.spec);
  job.spec.shrink_to_fit();
  job.kind = std::move(from.kind);
  job.subject = std::move(from.subject);
  job.queued_at = queued_at;
  job.priority = static_cast<uint8_t>(std::clamp(from.priority, 1, 10));
  job.retries = static_cast<uint16_t>(std::min<uint32_t>(from.retries, UINT16_MAX));
  job.retry_on_timeout = from.retry_on_timeout;
  job.queue_deadline = from.queue_deadline;
  job.run_deadline = from.run_deadline;
  job.retry_base = from.retry_base;
  job.due = now.tick + rest_of(job.queue_deadline, queued_at, now.wall, caf::timespan{0});
  wait_in_lane(job);
  set_alarm(job);
}

void ledger_state::apply(const run_started& what, moment now, caf::timestamp at) {
  auto i = jobs_.find(what.job);
  if (i == jobs_.end())
    return;
  auto& job = i->second;
  if (job.where == job_slot::place::fresh || job.where == job_slot::place::returned)
    job.way->remove(job);
  if (job.where != job_slot::place::running) {
    --job.way->queue().queued;
    ++job.way->queue().running;
  }
  job.way->started = true;
  job.where = job_slot::place::running;
  job.next_run = what.run_id + 1;
  job.retry.reset();
  auto& who = runners_.at(what.runner);
  const auto outside = is_outside(job);
  if (loading_ > 0 && !outside)
    who.load_boot(what.boot, what.node, loading_);
  who.running.insert(&job);
  if (!outside)
    who.remember(what.nonce, {what.job, what.run_id}, loading_ > 0 ? loading_ : UINT64_MAX);
  auto lease = std::make_unique<held_lease>();
  lease->run_id = what.run_id;
  lease->runner = &who;
  lease->boot = what.boot;
  lease->started_at = at;
  lease->lease_until = now.tick + options_.lease;
  if (outside) { // it never renews: it has all the time of a run, and was told an attempt
    lease->lease_until = now.tick + rest_of(job.run_deadline, at, now.wall, options_.lease);
    lease->published = published_of(what);
  }
  lease->run_until =
    now.tick + rest_of(job.run_deadline + options_.run_grace, at, now.wall, options_.lease);
  job.lease = std::move(lease);
  set_alarm(job);
}

void ledger_state::apply(const run_finished& what, moment now, caf::timestamp at) {
  auto i = jobs_.find(what.job);
  if (i == jobs_.end() || !i->second.lease || i->second.lease->run_id != what.run_id)
    return;
  auto& job = i->second;
  auto& who = *job.lease->runner;
  who.running.erase(&job);
  job.lease.reset();
  --job.way->queue().running;
  if (what.final) {
    release(job);
    return;
  }
  if (what.counted)
    ++job.used;
  else
    job.free_used = true;
  auto delay = std::max(what.retry_at - at, caf::timespan{0});
  auto rest = rest_of(delay, at, now.wall, caf::timespan{0});
  job.queued_at = std::max(what.retry_at, at);
  job.due = now.tick + rest_of(job.queue_deadline + delay, at, now.wall, caf::timespan{0});
  job.retry = std::make_unique<retry_wait>();
  job.retry->retry_at = what.retry_at;
  job.retry->retry_tick = now.tick + rest;
  job.retry->avoid = what.avoid;
  job.retry->avoid_until = now.tick + rest + options_.avoid_grace;
  ++job.way->queue().queued;
  job.where = job_slot::place::backoff;
  // The end of an outside job's backoff is an event of its own: somebody publishes it.
  if (rest <= caf::timespan{0} && !is_outside(job))
    wait_in_lane(job);
  set_alarm(job);
}

void ledger_state::apply(const job_requeued& what, moment, caf::timestamp) {
  auto i = jobs_.find(what.job);
  if (i == jobs_.end() || i->second.where != job_slot::place::backoff)
    return;
  wait_in_lane(i->second);
  set_alarm(i->second);
}

void ledger_state::apply(const cancel_requested& what, moment now, caf::timestamp) {
  auto i = jobs_.find(what.job);
  if (i == jobs_.end() || !i->second.lease)
    return;
  auto& job = i->second;
  job.cancel_requested = true;
  job.lease->cancel_until = now.tick + options_.cancel_grace;
  set_alarm(job);
}

void ledger_state::apply(const job_closed& what, moment, caf::timestamp) {
  auto i = jobs_.find(what.job);
  if (i == jobs_.end() || i->second.lease)
    return;
  auto& job = i->second;
  if (job.where == job_slot::place::fresh || job.where == job_slot::place::returned)
    job.way->remove(job);
  --job.way->queue().queued;
  release(job);
}

caf::error ledger_state::load_event(const event& what, moment now) {
  auto fold = [&]<class T>(const T*) -> caf::error {
    auto x = unpack<T>(what.payload);
    if (!x)
      return std::move(x.error());
    if constexpr (std::is_same_v<T, job_queued>)
      enqueue(std::move(*x), what.time, now);
    else
      apply(*x, now, what.time);
    return {};
  };
  if (what.topic == job_queued::topic)
    return fold(static_cast<const job_queued*>(nullptr));
  if (what.topic == run_started::topic)
    return fold(static_cast<const run_started*>(nullptr));
  if (what.topic == run_finished::topic)
    return fold(static_cast<const run_finished*>(nullptr));
  if (what.topic == job_requeued::topic)
    return fold(static_cast<const job_requeued*>(nullptr));
  if (what.topic == cancel_requested::topic)
    return fold(static_cast<const cancel_requested*>(nullptr));
  if (what.topic == job_closed::topic)
    return fold(static_cast<const job_closed*>(nullptr));
  return {}; // progress, and what a newer version adds
}

caf::error ledger_state::load(const live_job& stored, moment now) {
  auto why = caf::error{};
  for (auto x = stored.events.begin(); x != stored.events.end() && !why; ++x) {
    loading_ = x->sequence;
    why = load_event(x->what, now);
  }
  loading_ = 0;
  // Whoever was to tell the runner has died, perhaps before it did.
  auto i = jobs_.find(stored.job);
  if (!why && i != jobs_.end() && i->second.lease && i->second.cancel_requested)
    stop(i->second);
  return why;
}

lane& ledger_state::lane_of(const std::string& queue,
                            const std::vector<std::string>& capabilities) {
  auto& at = queues_[queue];
  if (at.name.empty())
    at.name = queue;
  auto sorted = capabilities;
  std::sort(sorted.begin(), sorted.end());
  sorted.erase(std::unique(sorted.begin(), sorted.end()), sorted.end());
  auto i = at.lanes.find(sorted);
  if (i == at.lanes.end()) {
    i = at.lanes.try_emplace(sorted, at, sorted).first;
    ++lanes_;
  }
  return i->second;
}

void ledger_state::leave_lane(lane& way) {
  if (--way.users > 0)
    return;
  auto& at = way.queue();
  --lanes_;
  auto capabilities = way.capabilities();
  at.lanes.erase(capabilities);
  if (at.lanes.empty()) {
    auto name = at.name;
    queues_.erase(name);
  }
}

void ledger_state::release(job_slot& job) {
  clear_alarm(job);
  leave_lane(*job.way);
  auto id = job.id;
  jobs_.erase(id);
}

void ledger_state::wait_in_lane(job_slot& job) {
  job.way->add(job);
  arrivals_ = true;
}

void ledger_state::set_alarm(job_slot& job) {
  auto at = job.due;
  if (job.lease) {
    at = std::min(std::max(job.lease->lease_until, no_expiry_until_), job.lease->run_until);
    if (job.lease->cancel_until > caf::timespan{0})
      at = std::min(at, job.lease->cancel_until);
  } else if (job.where == job_slot::place::backoff) {
    at = std::min(at, job.retry->retry_tick);
  } else if (job.retry && !job.retry->avoid.empty()) {
    at = std::min(at, job.retry->avoid_until);
  }
  at = std::max(at, caf::timespan{1});
  if (at == job.alarm)
    return;
  clear_alarm(job);
  job.alarm = at;
  alarms_.emplace(at, &job);
}

void ledger_state::clear_alarm(job_slot& job) {
  if (job.alarm != caf::timespan{0})
    alarms_.erase({job.alarm, &job});
  job.alarm = caf::timespan{0};
}

} // namespace troupe
