#include "actors/jobs/job_checks.hpp"
#include "actors/jobs/ledger_core.hpp"
#include "config/log.hpp"

#include <algorithm>

/// Jobs in, jobs out: submissions, cancellations, retries.
namespace troupe {

namespace {

constexpr auto most_jobs_per_request = size_t{1024};
constexpr auto most_jobs_per_append = uint64_t{2048};
constexpr auto most_append_bytes = uint64_t{4} << 20;
constexpr auto most_events_per_group = size_t{256};

/// What the journal keeps with the id of a request: the first job, and how many if not one.
std::string answer_of(const job_id& first, size_t count) {
  auto out = std::string{reinterpret_cast<const char*>(first.bytes.data()), first.bytes.size()};
  return count == 1 ? out : out + std::to_string(count);
}

/// Reads what `answer_of` wrote about as many jobs.
std::optional<job_id> job_of_answer(const std::string& answer, size_t count) {
  auto id = job_id{};
  if (answer.size() < id.bytes.size())
    return std::nullopt;
  std::copy_n(answer.begin(), id.bytes.size(), id.bytes.begin());
  return answer == answer_of(id, count) ? std::optional{id} : std::nullopt;
}

/// Whether the journal says for certain that nothing was stored.
bool certainly_refused(const caf::error& why) {
  switch (explain(why).code) {
    case ec::disk_full:
    case ec::invalid_argument:
    case ec::too_large:
    case ec::saturated: return true;
    default: return false;
  }
}

} // namespace

caf::error ledger_core::admit(const std::vector<submit_job>& jobs, const std::string& request_id,
                              bool one) const {
  if (auto why = refuses_decisions())
    return why;
  if (auto why = check_request_id(request_id))
    return why;
  for (auto i = size_t{0}; i < jobs.size(); ++i)
    if (auto why = check(jobs[i], one ? "" : "jobs[" + std::to_string(i) + "].", options_))
      return why;
  if (auto why = check_size(jobs))
    return why;
  if (undecided_ + jobs.size() > options_.max_undecided)
    return fault(ec::saturated, "too many submissions wait for the journal");
  return state_.room_for(undecided_ + jobs.size());
}

caf::result<job_accepted> ledger_core::submit(submit_job what) {
  auto part = submission{};
  part.request_id = std::exchange(what.request_id, {});
  part.request_digest = std::exchange(what.request_digest, 0);
  auto jobs = std::vector<submit_job>{};
  jobs.push_back(std::move(what));
  if (auto why = admit(jobs, part.request_id, true))
    return why;
  auto reply = self_->make_response_promise<job_accepted>();
  part.done = [reply](std::vector<job_accepted> got) mutable { reply.deliver(got.front()); };
  part.failed = [reply](const caf::error& why) mutable { reply.deliver(why); };
  add(std::move(jobs), std::move(part));
  return reply;
}

caf::result<jobs_accepted> ledger_core::submit(submit_jobs what) {
  if (what.jobs.size() > most_jobs_per_request)
    return fault_at(ec::too_large, "jobs", "must be at most 1024");
  for (auto i = size_t{0}; i < what.jobs.size(); ++i)
    if (!what.jobs[i].request_id.empty())
      return fault_at(ec::invalid_argument, "jobs[" + std::to_string(i) + "].request_id",
                      "belongs to the whole request");
  if (auto why = admit(what.jobs, what.request_id, false))
    return why;
  if (auto why = check_events(what.events))
    return why;
  if (what.jobs.empty() && what.events.empty())
    return jobs_accepted{};
  if (what.jobs.empty())
    return fault_at(ec::invalid_argument, "events", "come with at least one job");
  auto reply = self_->make_response_promise<jobs_accepted>();
  auto part = submission{};
  part.events = std::move(what.events);
  part.request_id = std::move(what.request_id);
  part.request_digest = what.request_digest;
  part.done = [reply](std::vector<job_accepted> got) mutable {
    reply.deliver(jobs_accepted{std::move(got)});
  };
  part.failed = [reply](const caf::error& why) mutable { reply.deliver(why); };
  add(std::move(what.jobs), std::move(part));
  return reply;
}

void ledger_core::add(std::vector<submit_job> jobs, submission part) {
  if (batches_.empty() || batches_.back().jobs >= most_jobs_per_append
      || batches_.back().bytes >= most_append_bytes)
    batches_.emplace_back().message = append_events{"jobs", epoch_, {}};
  auto& batch = batches_.back();
  auto& groups = batch.message.groups;
  auto time = now().wall;
  auto first = new_job_ids(static_cast<uint32_t>(jobs.size()));
  // Jobs with an idempotency key, or with events of their own, are one group: the
  // journal takes all of them or none.
  const auto together = !part.request_id.empty() || !part.events.empty();
  if (together) {
    auto& group = groups.emplace_back();
    group.id = std::move(part.request_id);
    group.digest = part.request_digest;
    group.answer = answer_of(first, jobs.size());
    for (const auto& x : part.events)
      batch.bytes += x.payload.size();
    group.events = std::move(part.events);
  }
  for (auto& job : jobs) {
    if (!together
        && (groups.empty() || !groups.back().answer.empty()
            || groups.back().events.size() >= most_events_per_group))
      groups.emplace_back();
    auto id = nth_job_id(first, static_cast<uint32_t>(part.jobs.size()));
    auto& made = part.jobs.emplace_back(job_queued{id, std::move(job)});
    groups.back().events.push_back(make_event(made, time));
    batch.bytes += groups.back().events.back().payload.size();
    part.groups.push_back(static_cast<uint32_t>(groups.size() - 1));
  }
  batch.jobs += part.jobs.size();
  undecided_ += part.jobs.size();
  batch.parts.push_back(std::move(part));
  schedule_flush();
}

void ledger_core::send_submissions() {
  while (!batches_.empty() && in_flight_ < most_in_flight) {
    auto batch = std::make_shared<submit_batch>(std::move(batches_.front()));
    batches_.pop_front();
    sent_.insert(batch);
    append(
      std::move(batch->message),
      [this, batch](append_results& got) {
        sent_.erase(batch);
        take_outcomes(*batch, got);
      },
      [this, batch](const caf::error& why) {
        sent_.erase(batch);
        refuse_submissions(*batch, why);
        if (explain(why).code == ec::disk_full)
          full_ = true;
        // A job that may be stored must not stay unknown: only a rebuild tells.
        if (!certainly_refused(why))
          fail(why);
      });
  }
}

void ledger_core::take_outcomes(submit_batch& batch, append_results& got) {
  undecided_ -= batch.jobs;
  auto at = now();
  for (auto& part : batch.parts) {
    auto answers = std::vector<job_accepted>{};
    auto why = caf::error{};
    for (auto i = size_t{0}; i < part.jobs.size(); ++i) {
      const auto& result = got.results[part.groups[i]];
      auto first = job_of_answer(result.answer, part.jobs.size());
      if (result.outcome == append_outcome::stored) {
        answers.push_back({part.jobs[i].job, false});
        state_.enqueue(std::move(part.jobs[i]), at.wall, at);
      } else if (result.outcome == append_outcome::repeated && first) {
        answers.push_back({nth_job_id(*first, static_cast<uint32_t>(i)), true});
      } else {
        why = fault_at(ec::conflict, "request_id", "this id came before with another body");
      }
    }
    if (why)
      part.failed(why);
    else
      part.done(std::move(answers));
  }
}

void ledger_core::refuse_submissions(submit_batch& batch, const caf::error& why) {
  undecided_ -= batch.jobs;
  for (auto& part : batch.parts)
    part.failed(why);
}

caf::result<job_status> ledger_core::cancel(const cancel_job& what) {
  if (auto why = refuses_decisions())
    return why;
  if (auto got = state_.cancel(what, now()))
    return reply_when_durable(*got);
  // What the ledger does not know is finished (perhaps just now) or never was.
  auto reply = self_->make_response_promise<job_status>();
  when_durable([this, what, reply](const caf::error& why) mutable {
    if (why)
      reply.deliver(why);
    else
      ask_history(what, reply);
  });
  return reply;
}

void ledger_core::ask_history(const cancel_job& what, promise<job_status> reply) {
  auto history = roles_->find<job_history_actor>("history");
  if (!history) {
    reply.deliver(fault(ec::unavailable, "there is no job history"));
    return;
  }
  auto query = get_job{};
  query.job = what.job;
  self_->request(history, options_.read_timeout, query)
    .then(
      [reply](const job_view& got) mutable {
        reply.deliver(job_status{got.job, got.state, got.result});
      },
      [reply](const caf::error& why) mutable { reply.deliver(why); });
}

caf::result<job_accepted> ledger_core::retry(const retry_job& what) {
  if (auto why = refuses_decisions())
    return why;
  auto history = roles_->find<job_history_actor>("history");
  if (!history)
    return fault(ec::unavailable, "there is no job history");
  auto reply = self_->make_response_promise<job_accepted>();
  auto query = get_job{};
  query.job = what.job;
  self_->request(history, options_.read_timeout, query)
    .then(
      [this, reply, what = what](job_view& old) mutable {
        if (old.state != job_state::finished) {
          reply.deliver(fault_at(ec::conflict, "job_id", "this job is not finished"));
          return;
        }
        auto jobs = std::vector<submit_job>(1);
        auto& again = jobs.front();
        again.kind = std::move(old.kind);
        again.queue = std::move(old.queue);
        again.priority = old.priority;
        again.capabilities = std::move(old.capabilities);
        again.subject = std::move(old.subject);
        again.tags = std::move(old.tags);
        again.owner = what.by.empty() ? std::move(old.owner) : std::move(what.by);
        again.spec = std::move(old.spec);
        again.retries = old.retries;
        again.retry_on_timeout = old.retry_on_timeout;
        again.queue_deadline = old.queue_deadline;
        again.run_deadline = old.run_deadline;
        again.retry_base = old.retry_base;
        again.retry_of = old.job;
        if (auto why = admit(jobs, what.request_id, true)) {
          reply.deliver(why);
          return;
        }
        auto part = submission{};
        part.request_id = std::move(what.request_id);
        part.request_digest = what.request_digest;
        part.done = [reply](std::vector<job_accepted> got) mutable { reply.deliver(got.front()); };
        part.failed = [reply](const caf::error& why) mutable { reply.deliver(why); };
        add(std::move(jobs), std::move(part));
      },
      [reply](const caf::error& why) mutable { reply.deliver(why); });
  return reply;
}

} // namespace troupe
