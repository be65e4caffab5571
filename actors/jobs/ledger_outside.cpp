#include "actors/jobs/ledger_outside.hpp"

#include "actors/jobs/ledger_state.hpp"

#include <charconv>

/// What processors outside of Troupe say of the runs of `outside_queue`. They see
/// messages of a broker, so what they say may come twice, late or out of order.
/// Source: spec/pipeline.md 3.5, docs/adr/0011.
namespace troupe {

namespace {

constexpr auto outside_boot = "outside";

/// Whether a word speaks of this run; legacy processors name no attempt.
bool speaks_of(const outside_report& what, const held_lease& lease) {
  return what.attempt == 0 || what.attempt == lease.published || what.attempt == lease.run_id + 1;
}

} // namespace

uint32_t published_of(const run_started& x) {
  auto out = x.run_id + 1;
  std::from_chars(x.nonce.data(), x.nonce.data() + x.nonce.size(), out);
  return out;
}

report_answer ledger_state::report(const outside_report& what, moment now) {
  auto i = jobs_.find(what.job);
  if (i == jobs_.end())
    return {report_outcome::unknown};
  auto& job = i->second;
  if (!is_outside(job))
    return {report_outcome::not_yours};
  return {what.word == outside_word::start ? begin_outside(job, what, now)
                                           : end_outside(job, what, now)};
}

report_outcome ledger_state::begin_outside(job_slot& job, const outside_report& what, moment now) {
  // Before the next attempt is published, a start is of one that is over.
  if (!job.lease
      && (job.where == job_slot::place::backoff
          || (what.attempt != 0 && what.attempt != job.next_run + 1)))
    return report_outcome::late;
  auto published = job.next_run + 1;
  if (job.lease) {
    if (!speaks_of(what, *job.lease))
      return report_outcome::late;
    if (job.lease->runner->status.runner == what.processor)
      return report_outcome::repeated;
    // The broker gave the message to another one: the first has lost its connection.
    published = job.lease->published;
    end_run(job,
            {job.id,
             job.lease->run_id,
             verdict::error,
             reason::claim_expired,
             "another processor has taken the task",
             {}},
            now, {}, true);
    if (!jobs_.contains(what.job))
      return report_outcome::taken; // that was its last attempt
  }
  start_outside(job, what.processor, published, now);
  return report_outcome::taken;
}

report_outcome ledger_state::end_outside(job_slot& job, const outside_report& what, moment now) {
  if (job.lease) {
    if (job.lease->runner->status.runner != what.processor || !speaks_of(what, *job.lease))
      return report_outcome::late;
  } else {
    // Its start was lost, or this is a repetition about an attempt that is over.
    auto next = job.next_run + 1;
    auto said = what.attempt == next
                || (what.attempt == 0 && (what.word == outside_word::end || job.next_run == 0));
    if (job.where == job_slot::place::backoff || !said)
      return report_outcome::late;
    start_outside(job, what.processor, next, now);
  }
  auto report = run_report{job.id, job.lease->run_id, verdict::pass, reason::none, what.note, {}};
  if (what.word == outside_word::fail) {
    report.result = verdict::fail;
    report.why = reason::process_failed;
  }
  report.spend = what.spend;
  report.data = what.data;
  end_run(job, std::move(report), now, {});
  return report_outcome::taken;
}

void ledger_state::start_outside(job_slot& job, const std::string& processor, uint32_t published,
                                 moment now) {
  decide(run_started{job.id, job.next_run, processor, outside_boot, std::to_string(published),
                     job.kind, job.way->queue().name, job.subject, job.queued_at},
         now);
}

} // namespace troupe
