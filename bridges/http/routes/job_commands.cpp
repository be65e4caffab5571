#include "bridges/http/routes/submission.hpp"

/// Ending and repeating jobs.
namespace troupe {

namespace {

/// Returns the job if the caller may change it: its own, or any for an admin.
/// Errors: `ec::not_found`, `ec::forbidden`.
caf::expected<job_view> own_job(const call& c) {
  auto id = c.job();
  if (!id)
    return std::move(id.error());
  auto job = c.ask<job_view>(c.shared.roles.history, get_job{*id});
  if (job && c.who.level < token_level::admin && job->owner != c.who.subject)
    return fault_at(ec::forbidden, "job_id", "the job is somebody else's");
  return job;
}

/// These paths say everything: a body would be a wish that nobody hears.
std::optional<http_response> refuse_body(const call& c) {
  if (c.in.body.empty())
    return std::nullopt;
  auto body = c.document();
  if (!body)
    return syntax_response(c.at.words, body.error());
  if (!body->is_object())
    return c.fail({{"body", "must be an object without fields, or be absent"}});
  auto reader = json_reader{};
  for (const auto& [key, value] : body->items())
    reader.complain(key, "is not a field of this request");
  return reader.faults.empty() ? std::nullopt : std::optional{c.fail(reader.faults)};
}

http_response cancel(call& c) {
  if (auto refused = refuse_body(c))
    return std::move(*refused);
  auto job = own_job(c);
  if (!job)
    return c.fail(job.error());
  // The ledger knows unfinished jobs only; a finished one is as ended as it can be.
  if (job->state != job_state::finished) {
    auto ended = c.ask<job_status>(c.shared.roles.jobs, cancel_job{job->job, c.who.subject});
    if (ended || explain(ended.error()).code != ec::not_found)
      return answer(c, ended);
    job = c.ask<job_view>(c.shared.roles.history, get_job{job->job});
    if (!job)
      return c.fail(job.error());
  }
  return json_response(200, write_json(job_status{job->job, job->state, job->result}));
}

http_response retry(call& c) {
  if (auto refused = refuse_body(c))
    return std::move(*refused);
  auto job = own_job(c);
  if (!job)
    return c.fail(job.error());
  if (job->state != job_state::finished)
    return c.fail(fault_at(ec::conflict, "job_id", "the job is not finished"));
  auto again = retry_job{job->job, c.who.subject};
  if (auto err = claim_request_id(c, again))
    return c.fail(err);
  auto accepted = c.ask<job_accepted>(c.shared.roles.jobs, std::move(again));
  auto out = answer(c, accepted, 201);
  if (accepted)
    out.headers.emplace("Location", "/jobs/" + to_string(accepted->job));
  return out;
}

} // namespace

std::vector<route> command_routes() {
  return {
    {.method = "POST",
     .path = "/jobs/{job_id}/cancel",
     .least = token_level::submit,
     .tag = "jobs",
     .summary = "Ends a job of one's own (an admin: any); canceling twice answers the same",
     .answers = {{200, "What the job was at that moment.", schema_of<job_status>()}},
     .max_body = 1024,
     .run = cancel},
    {.method = "POST",
     .path = "/jobs/{job_id}/retry",
     .least = token_level::submit,
     .tag = "jobs",
     .summary = "Submits a finished job of one's own (an admin: any) again, as a new one; an "
                "Idempotency-Key makes repeating it harmless",
     .answers = {{201, "The new job is durable.", schema_of<job_accepted>()},
                 {409, "The job is not finished, or the key came with another request.", {}}},
     .max_body = 1024,
     .run = retry},
  };
}

} // namespace troupe
