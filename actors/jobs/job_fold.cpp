#include "actors/jobs/job_fold.hpp"

#include <algorithm>

namespace troupe {

namespace {

run* find_run(job_view& job, uint32_t run_id) {
  auto i = std::find_if(job.runs.rbegin(), job.runs.rend(),
                        [&](const run& x) { return x.run_id == run_id; });
  return i == job.runs.rend() ? nullptr : &*i;
}

void finish(job_view& job, verdict result, reason why, std::string note, caf::timestamp at) {
  job.state = job_state::finished;
  job.result = result;
  job.why = why;
  job.note = std::move(note);
  job.finished_at = at;
}

void fold(job_view& job, job_queued x, caf::timestamp at) {
  job.job = x.job;
  job.kind = std::move(x.what.kind);
  job.queue = std::move(x.what.queue);
  job.priority = x.what.priority;
  job.subject = std::move(x.what.subject);
  job.tags = std::move(x.what.tags);
  job.owner = std::move(x.what.owner);
  job.created_at = at;
  job.retry_of = x.what.retry_of;
  job.capabilities = std::move(x.what.capabilities);
  job.spec = std::move(x.what.spec);
  job.retries = x.what.retries;
  job.retry_on_timeout = x.what.retry_on_timeout;
  job.queue_deadline = x.what.queue_deadline;
  job.run_deadline = x.what.run_deadline;
  job.retry_base = x.what.retry_base;
}

void fold(job_view& job, run_started x, caf::timestamp at) {
  job.state = job_state::running;
  auto& made = job.runs.emplace_back();
  made.run_id = x.run_id;
  made.runner = std::move(x.runner);
  made.started_at = at;
}

void fold(job_view& job, run_progressed x, caf::timestamp) {
  auto* in = find_run(job, x.run_id);
  if (in == nullptr)
    return;
  auto open = std::find_if(in->stages.rbegin(), in->stages.rend(),
                           [&](const stage& s) { return s.name == x.step.name && !s.finished; });
  if (open != in->stages.rend())
    *open = std::move(x.step);
  else
    in->stages.push_back(std::move(x.step));
}

void fold(job_view& job, run_finished x, caf::timestamp at) {
  if (auto* in = find_run(job, x.run_id)) {
    in->finished_at = at;
    in->result = x.result;
    in->why = x.why;
    in->note = x.note;
    if (!x.stages.empty())
      in->stages = std::move(x.stages);
  }
  if (x.final)
    finish(job, x.result, x.why, std::move(x.note), at);
  else
    job.state = job_state::queued;
}

void fold(job_view& job, const cancel_requested&, caf::timestamp) {
  job.cancel_requested = true;
}

void fold(job_view& job, job_closed x, caf::timestamp at) {
  finish(job, x.result, x.why, std::move(x.note), at);
}

template <class T>
bool fold_if(job_view& job, const stored_event& x, caf::error& why) {
  if (x.what.topic != T::topic)
    return false;
  auto read = unpack<T>(x.what.payload);
  if (!read) {
    why = std::move(read.error());
    return true;
  }
  fold(job, std::move(*read), x.what.time);
  job.version = x.sequence;
  return true;
}

} // namespace

caf::error apply(job_view& job, const stored_event& x) {
  auto why = caf::error{};
  if (job.state == job_state::finished)
    return why;
  // Topics of a newer version fall through: they are no change to this one.
  static_cast<void>(fold_if<job_queued>(job, x, why) || fold_if<run_started>(job, x, why)
                    || fold_if<run_progressed>(job, x, why) || fold_if<run_finished>(job, x, why)
                    || fold_if<cancel_requested>(job, x, why) || fold_if<job_closed>(job, x, why));
  return why;
}

std::optional<job_id> job_of(std::string_view payload) {
  if (packed_kind(payload) == ledger_opened::type_name)
    return std::nullopt;
  auto in = decoder{payload};
  in.take(in.number()); // kind
  in.number();          // version
  in.number();          // length
  auto id = job_id{};
  in.value(id);
  if (!in.ok() || !id)
    return std::nullopt;
  return id;
}

} // namespace troupe
