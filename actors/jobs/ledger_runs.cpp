#include "actors/jobs/ledger_outside.hpp"
#include "actors/jobs/ledger_state.hpp"

#include <algorithm>

/// What runners ask of the ledger: work, time, and to take results.
namespace troupe {

caf::error ledger_state::check_speaker(const std::string& runner, const std::string& boot,
                                       const std::string& node, moment now) const {
  const auto* who = runners_.find(runner);
  if (who == nullptr)
    return {};
  if (who->belongs_elsewhere(node)) {
    if (who->running.empty() && !runners_.live(*who, now))
      return {};
    return fault(ec::conflict, "'" + runner + "' is the name of a runner on node " + who->node
                                 + "; names are unique in a cluster");
  }
  if (who->was(boot))
    return fault(ec::conflict, "this runner has started again since");
  return {};
}

/// Notes a sign of life of who may speak. A new boot means that everything the old
/// one ran is gone: it is requeued at once.
known_runner& ledger_state::greet(const std::string& runner, const std::string& boot,
                                  const std::string& node, moment now) {
  auto& who = runners_.at(runner);
  who.heard = now.tick;
  who.seen = true;
  who.status.seen_at = now.wall;
  if (who.status.boot != boot)
    who.claims.clear();
  who.begin(boot, node);
  auto gone = std::vector<job_slot*>{};
  for (auto* job : who.running)
    if (job->lease->boot != boot)
      gone.push_back(job);
  for (auto* job : gone)
    end_run(*job,
            {job->id,
             job->lease->run_id,
             verdict::error,
             reason::claim_expired,
             "the runner started again",
             {}},
            now, {});
  return who;
}

bool ledger_state::ends_runs(const std::string& runner, const std::string& boot) {
  auto* who = runners_.find(runner);
  return who != nullptr && !who->was(boot)
         && std::any_of(who->running.begin(), who->running.end(),
                        [&](const job_slot* job) { return job->lease->boot != boot; });
}

caf::error ledger_state::hear(runner_status what, moment now, const std::string& node) {
  if (auto why = check_speaker(what.runner, what.boot, node, now))
    return why;
  auto& who = greet(what.runner, what.boot, node, now);
  std::sort(what.capabilities.begin(), what.capabilities.end());
  what.seen_at = now.wall;
  who.status = std::move(what);
  return {};
}

job_slot* ledger_state::running(const run_key& key, const known_runner& who,
                                const std::string& boot) {
  auto i = jobs_.find(key.job);
  if (i == jobs_.end() || !i->second.lease)
    return nullptr;
  const auto& lease = *i->second.lease;
  if (lease.run_id != key.run_id || lease.runner != &who || lease.boot != boot)
    return nullptr;
  return &i->second;
}

run_order ledger_state::order_of(const job_slot& job) const {
  return {job.id,   job.lease->run_id, job.kind,        job.way->queue().name,
          job.spec, options_.lease,    job.run_deadline};
}

claimed_runs ledger_state::repeat(const known_runner& who, const answered_claim& claim) const {
  auto out = claimed_runs{};
  for (const auto& key : claim.runs) {
    auto i = jobs_.find(key.job);
    if (i != jobs_.end() && i->second.lease && i->second.lease->runner == &who
        && i->second.lease->run_id == key.run_id)
      out.orders.push_back(order_of(i->second));
  }
  return out;
}

std::vector<lane*> ledger_state::lanes_for(const claim_runs& what) {
  auto out = std::vector<lane*>{};
  auto names = what.queues;
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  auto offered = what.capabilities;
  std::sort(offered.begin(), offered.end());
  for (const auto& name : names) {
    auto i = queues_.find(name);
    if (i == queues_.end())
      continue;
    for (auto& [asked, way] : i->second.lanes)
      if (std::includes(offered.begin(), offered.end(), asked.begin(), asked.end()))
        out.push_back(&way);
  }
  return out;
}

/// Returns the oldest job of the highest priority; one that should avoid this
/// runner is left for another for a while, if there is another.
job_slot* ledger_state::next_job(const std::vector<lane*>& ways, const std::string& runner,
                                 moment now) const {
  auto* best = static_cast<job_slot*>(nullptr);
  for (auto* way : ways) {
    auto another = std::optional<bool>{};
    auto* job = way->front([&](const job_slot& x) {
      if (!x.retry || x.retry->avoid != runner || now.tick >= x.retry->avoid_until)
        return true;
      if (!another)
        another = runners_.another_serves(*way, runner, now);
      return !*another;
    });
    if (job != nullptr
        && (best == nullptr || job->priority > best->priority
            || (job->priority == best->priority && job->id < best->id)))
      best = job;
  }
  return best;
}

caf::expected<claimed_runs> ledger_state::claim(const claim_runs& what, moment now,
                                                const std::string& node) {
  if (auto why = check_speaker(what.runner, what.boot, node, now))
    return why;
  auto& who = greet(what.runner, what.boot, node, now);
  if (const auto* before = who.claim_of(what.nonce))
    return repeat(who, *before);
  if (who.status.queues.empty()) { // it has not spoken of itself yet
    who.status.queues = what.queues;
    who.status.capabilities = what.capabilities;
    who.status.slots = what.max_runs;
    std::sort(who.status.capabilities.begin(), who.status.capabilities.end());
  }
  auto out = claimed_runs{};
  auto ways = lanes_for(what);
  auto size = uint64_t{0};
  while (out.orders.size() < what.max_runs) {
    auto* job = next_job(ways, what.runner, now);
    if (job == nullptr)
      break;
    size += job->spec.size();
    if (!out.orders.empty() && size > options_.reply_size)
      break;
    decide(run_started{job->id, job->next_run, what.runner, what.boot, what.nonce, job->kind,
                       job->way->queue().name, job->subject, job->queued_at, node},
           now);
    out.orders.push_back(order_of(*job));
  }
  return out;
}

/// Notes a sign of life of a runner about its runs. It does not make a boot the
/// present one: only a claim and a status do, or a late word of a dead boot could
/// push out the living one. Returns null for a word of another node's runner.
known_runner* ledger_state::recognize(const std::string& runner, const std::string& boot,
                                      const std::string& node, moment now) {
  auto* who = runners_.find(runner);
  if (who != nullptr && who->belongs_elsewhere(node))
    return nullptr;
  if (who != nullptr && who->seen && who->status.boot == boot) {
    who->heard = now.tick;
    who->status.seen_at = now.wall;
  }
  return who;
}

lease_states ledger_state::renew(const renew_leases& what, moment now, const std::string& node) {
  auto out = lease_states{};
  auto* who = recognize(what.runner, what.boot, node, now);
  for (const auto& key : what.runs) {
    auto* job = who != nullptr ? running(key, *who, what.boot) : nullptr;
    if (job == nullptr) {
      out.states.push_back(lease_state::lost);
      continue;
    }
    // The alarm stays where it is: when it rings, it looks at the lease again.
    job->lease->lease_until = now.tick + options_.lease;
    out.states.push_back(job->cancel_requested ? lease_state::canceled : lease_state::held);
  }
  return out;
}

finish_outcomes ledger_state::finish(finish_runs what, moment now, const std::string& node) {
  auto out = finish_outcomes{};
  auto* who = recognize(what.runner, what.boot, node, now);
  for (auto& report : what.reports) {
    auto key = run_key{report.job, report.run_id};
    auto* job = who != nullptr ? running(key, *who, what.boot) : nullptr;
    if (job != nullptr) {
      end_run(*job, std::move(report), now, what.runner);
      finished_.add(key, what.runner, what.boot);
      out.outcomes.push_back(finish_outcome::accepted);
    } else {
      out.outcomes.push_back(finished_.has(key, what.runner, what.boot) ? finish_outcome::accepted
                                                                        : finish_outcome::refused);
    }
  }
  return out;
}

uint32_t ledger_state::report(report_stages what, moment now, const std::string& node) {
  auto taken = uint32_t{0};
  auto* who = recognize(what.runner, what.boot, node, now);
  for (auto& x : what.reports)
    if (who != nullptr && running({x.job, x.run_id}, *who, what.boot) != nullptr) {
      decide(run_progressed{x.job, x.run_id, std::move(x.step)}, now);
      ++taken;
    }
  return taken;
}

/// Returns how long a job waits for the run after one that counted.
caf::timespan ledger_state::backoff_of(const job_slot& job) const {
  constexpr auto longest = caf::timespan{std::chrono::hours{1}};
  if (job.retry_base > caf::timespan{0})
    return std::min(job.retry_base * (int64_t{1} << std::min<uint16_t>(job.used, 20)), longest);
  if (options_.backoff.empty())
    return caf::timespan{0};
  return options_.backoff[std::min<size_t>(job.used, options_.backoff.size() - 1)];
}

/// Decides whether a run that ended finishes its job; if not, the next one comes
/// after a backoff, or `at_once`. Source: spec/testing.md 6.1.
void ledger_state::end_run(job_slot& job, run_report report, moment now, std::string avoid,
                           bool at_once) {
  auto out = run_finished{};
  out.job = report.job;
  out.run_id = report.run_id;
  out.result = report.result;
  out.why = report.why;
  out.note = std::move(report.note);
  out.stages = std::move(report.stages);
  out.spend = report.spend;
  out.data = std::move(report.data);
  if (out.result == verdict::none || out.why != reason::none)
    out.result = verdict_of(out.why);
  auto left = job.used < job.retries;
  switch (retry_rule_of(out.why)) {
    case retry_rule::never: break;
    case retry_rule::if_asked: out.final = !(job.retry_on_timeout && left); break;
    case retry_rule::counted: out.final = !left; break;
    case retry_rule::first_free:
      // Nobody sees an outside processor's node go: each of its losses counts.
      out.counted = job.free_used || is_outside(job);
      out.final = out.counted && !left;
      break;
  }
  if (job.cancel_requested && (!out.final || out.result == verdict::error)) {
    out.final = true;
    out.result = verdict::canceled;
    out.why = reason::canceled;
  }
  if (!out.final) {
    out.retry_at = now.wall + (out.counted && !at_once ? backoff_of(job) : caf::timespan{0});
    out.avoid = std::move(avoid);
  }
  out.kind = job.kind;
  out.queue = job.way->queue().name;
  out.subject = job.subject;
  out.runner = job.lease->runner->status.runner;
  out.started_at = job.lease->started_at;
  decide(out, now);
}

/// Tells the runner of a job's run to stop.
void ledger_state::stop(job_slot& job) {
  if (is_outside(job))
    return; // nobody listens; what it says later is late
  notices_.push_back({job.lease->runner->status.runner, {job.id, job.lease->run_id}});
}

} // namespace troupe
