#include "actors/jobs/ledger_state.hpp"

#include "actors/jobs/ledger_outside.hpp"
#include "messages/time.hpp"

#include <algorithm>

namespace troupe {

ledger_state::ledger_state(ledger_options options)
  : options_{std::move(options)}, runners_{options_}, finished_{options_.finished_kept} {}

caf::error ledger_state::room_for(uint64_t more) const {
  if (jobs_.size() + more > options_.max_jobs)
    return fault(ec::saturated, "too many unfinished jobs");
  if (lanes_ >= options_.max_lanes)
    return fault(ec::saturated, "too many different queues and capabilities in use");
  return {};
}

std::optional<job_status> ledger_state::cancel(const cancel_job& what, moment now) {
  auto i = jobs_.find(what.job);
  if (i == jobs_.end())
    return std::nullopt;
  auto& job = i->second;
  if (!job.lease) {
    auto note = what.by.empty() ? std::string{"canceled"} : "canceled by " + what.by;
    close(job, reason::canceled, std::move(note), now);
    return job_status{what.job, job_state::finished, verdict::canceled};
  }
  if (!job.cancel_requested) {
    decide(cancel_requested{what.job, what.by}, now);
    stop(job);
  }
  return job_status{what.job, job_state::running, verdict::none};
}

/// Ends a job that has no run.
void ledger_state::close(const job_slot& job, reason why, std::string note, moment now) {
  decide(job_closed{job.id, verdict_of(why), why, std::move(note), job.kind, job.way->queue().name,
                    job.subject, job.queued_at},
         now);
}

queue_list ledger_state::queues(moment now) const {
  auto out = queue_list{};
  auto known = std::map<std::string, queue_status>{};
  for (const auto& [name, at] : queues_)
    known[name] = {name, at.queued, at.running, 0};
  for (const auto& who : runners_.list(now).runners)
    if (who.live)
      for (const auto& name : who.queues)
        known[name].queue = name;
  for (auto& [name, status] : known) {
    status.slots = runners_.slots(name, now);
    out.queues.push_back(std::move(status));
  }
  return out;
}

std::optional<caf::timespan> ledger_state::next_alarm() const {
  if (alarms_.empty())
    return std::nullopt;
  return alarms_.begin()->first;
}

/// Decides about jobs whose alarm rang: an alarm is never late, but may be early.
bool ledger_state::expire(moment now, size_t most) {
  for (; most > 0; --most) {
    if (alarms_.empty() || alarms_.begin()->first > now.tick)
      return false;
    auto& job = *alarms_.begin()->second;
    clear_alarm(job);
    if (job.lease)
      expire_run(job, now);
    else
      expire_wait(job, now);
  }
  return !alarms_.empty() && alarms_.begin()->first <= now.tick;
}

void ledger_state::expire_run(job_slot& job, moment now) {
  const auto& lease = *job.lease;
  auto report = run_report{job.id, lease.run_id, verdict::none, reason::none, {}, {}};
  auto avoid = lease.runner->status.runner;
  if (lease.cancel_until > caf::timespan{0} && now.tick >= lease.cancel_until) {
    report.why = reason::canceled;
    report.note = "canceled; the runner did not report in time";
  } else if (now.tick >= lease.run_until) {
    report.why = reason::task_timeout;
    report.note = "longer than its deadline of " + to_short_text(job.run_deadline);
  } else if (now.tick >= std::max(lease.lease_until, no_expiry_until_)) {
    report.why = reason::claim_expired;
    report.note = "the runner was silent for "
                  + to_short_text(is_outside(job) ? job.run_deadline : options_.lease);
  } else {
    set_alarm(job);
    return;
  }
  stop(job);
  end_run(job, std::move(report), now, std::move(avoid));
}

void ledger_state::expire_wait(job_slot& job, moment now) {
  if (now.tick >= job.due) {
    auto served = job.next_run > 0 || job.way->started || runners_.ever_served(*job.way);
    auto why = served ? reason::deadline_exceeded : reason::unsupported_platform;
    auto note = (served ? "waited longer than " : "no runner offered this platform within ")
                + to_short_text(job.queue_deadline);
    close(job, why, std::move(note), now);
    return;
  }
  if (job.where == job_slot::place::backoff && now.tick >= job.retry->retry_tick) {
    if (is_outside(job)) {
      decide(
        job_requeued{job.id, job.next_run, job.kind, job.way->queue().name, job.subject, job.spec},
        now);
      return;
    }
    wait_in_lane(job);
  }
  if (job.where != job_slot::place::backoff && job.retry && !job.retry->avoid.empty()
      && now.tick >= job.retry->avoid_until) {
    job.retry->avoid.clear();
    arrivals_ = true; // the avoided runner may have it now
  }
  set_alarm(job);
}

std::vector<event> ledger_state::take_events(size_t most_bytes) {
  auto out = std::vector<event>{};
  auto bytes = size_t{0};
  while (!events_.empty()) {
    bytes += events_.front().topic.size() + events_.front().payload.size();
    if (bytes > most_bytes && !out.empty())
      break;
    out.push_back(std::move(events_.front()));
    events_.pop_front();
  }
  return out;
}

std::vector<stop_notice> ledger_state::take_notices() {
  return std::exchange(notices_, {});
}

bool ledger_state::take_arrivals() {
  return std::exchange(arrivals_, false);
}

std::string ledger_state::describe() const {
  auto ids = std::vector<job_id>{};
  for (const auto& [id, job] : jobs_)
    ids.push_back(id);
  std::sort(ids.begin(), ids.end());
  auto out = std::string{};
  auto word = [&](const std::string& x) { out.append(x).push_back(' '); };
  for (const auto& id : ids) {
    const auto& job = jobs_.at(id);
    word(to_string(id));
    word(job.kind);
    word(job.way->queue().name);
    for (const auto& x : job.way->capabilities())
      word("+" + x);
    for (auto x :
         {uint64_t{job.priority}, uint64_t{job.next_run}, uint64_t{job.used}, uint64_t{job.retries},
          uint64_t{job.free_used}, uint64_t{job.cancel_requested}, uint64_t{job.retry_on_timeout}})
      word(std::to_string(x));
    word(std::to_string(job.queue_deadline.count()));
    word(std::to_string(job.run_deadline.count()));
    word(std::to_string(job.retry_base.count()));
    word(job.spec);
    if (job.lease)
      word("run " + std::to_string(job.lease->run_id) + " on " + job.lease->runner->status.runner
           + " boot " + job.lease->boot);
    else if (job.retry)
      word("retry " + to_iso8601(job.retry->retry_at));
    out.push_back('\n');
  }
  for (const auto& [name, at] : queues_)
    out += name + " " + std::to_string(at.queued) + " " + std::to_string(at.running) + "\n";
  return out;
}

} // namespace troupe
