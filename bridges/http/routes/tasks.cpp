#include "bridges/http/routes/lax_json.hpp"
#include "bridges/http/routes/schedule_request.hpp"
#include "bridges/http/routes/task_summary.hpp"

/// The paths of AlmaLinux ALTS. Source: spec/testing.md 1.1.
namespace troupe {

namespace {

/// Pages of one caller's number that `/cancel_tasks` looks through at most.
constexpr auto most_pages = 16;

/// Reads the body, or says in FastAPI's words why not.
std::optional<http_response> read_document(const call& c, json& out) {
  if (c.in.body.empty())
    return c.fail({{"", "is required"}});
  auto body = c.document();
  if (!body)
    return syntax_response(c.at.words, body.error());
  out = std::move(*body);
  return std::nullopt;
}

http_response schedule(call& c) {
  auto body = json{};
  if (auto refused = read_document(c, body))
    return std::move(*refused);
  auto terms = job_terms{};
  auto faults = std::vector<json_fault>{};
  auto test = read_schedule_request(std::move(body), terms, faults);
  if (!faults.empty())
    return c.fail(faults);
  auto job = plan_test(c, std::move(test), terms);
  if (!job) {
    auto out = c.fail(job.error());
    // The original dies on an unknown platform; 422 is for what its schema refuses.
    auto why = explain(job.error());
    if (why.place == "runner_type")
      return c.fail({{why.place, why.text}});
    if (why.code == ec::invalid_argument)
      out.status = 400;
    return out;
  }
  if (auto err = claim_request_id(c, *job))
    return c.fail(err);
  auto accepted = c.ask<job_accepted>(c.shared.roles.jobs, std::move(*job));
  if (!accepted)
    return c.fail(accepted.error());
  auto done = schedule_answer{};
  done.task = accepted->job;
  return json_response(201, write_json(done));
}

http_response pending() {
  return json_response(200, {{"state", "PENDING"}, {"api_version", alts_api_version}});
}

http_response result(call& c) {
  auto id = parse_job_id(c.path("task_id"));
  auto job = caf::expected<job_view>{fault_at(ec::not_found, "task_id", "there is no such task")};
  if (id)
    job = c.ask<job_view>(c.shared.roles.history, get_job{*id});
  if (job && job->kind != "test")
    job = fault_at(ec::not_found, "task_id", "there is no such task");
  if (!job) {
    auto unknown = explain(job.error()).code == ec::not_found;
    return unknown && c.shared.options.compat.alts_unknown_pending ? pending()
                                                                   : c.fail(job.error());
  }
  auto state = celery_state(*job);
  auto out = json{{"state", state}, {"api_version", alts_api_version}};
  if (state == "SUCCESS")
    out["result"] = task_summary(*job);
  return json_response(200, out);
}

/// Ends the caller's own jobs (an admin's: anybody's) that carry this number.
caf::error cancel_number(call& c, int64_t number) {
  auto query = list_jobs{};
  query.kind = "test";
  query.tags["bs_task_id"] = std::to_string(number);
  if (c.who.level < token_level::admin)
    query.owner = c.who.subject;
  for (auto pages = 0; pages < most_pages; ++pages) {
    auto page = c.ask<job_page>(c.shared.roles.history, query);
    if (!page)
      return std::move(page.error());
    for (const auto& job : page->jobs) {
      if (job.state == job_state::finished)
        continue;
      auto ended = c.ask<job_status>(c.shared.roles.jobs, cancel_job{job.job, c.who.subject});
      // Not found: it finished meanwhile, which is as good.
      if (!ended && explain(ended.error()).code != ec::not_found)
        return std::move(ended.error());
    }
    if (page->next.empty())
      break;
    query.cursor = page->next;
  }
  return caf::none;
}

http_response cancel_tasks(call& c) {
  auto body = json{};
  if (auto refused = read_document(c, body))
    return std::move(*refused);
  read_laxly<cancel_tasks_request>(body);
  auto in = cancel_tasks_request{};
  auto reader = json_reader{};
  reader.read(body, in, "");
  if (!reader.faults.empty())
    return c.fail(reader.faults);
  for (auto number : in.bs_task_ids)
    if (auto err = cancel_number(c, number))
      return c.fail(err);
  return json_response(200, write_json(cancel_tasks_answer{}));
}

} // namespace

std::vector<route> task_routes() {
  return {
    {.method = "POST",
     .path = "/tasks/schedule",
     .least = token_level::submit,
     .tag = "ALTS",
     .summary = "Schedules the test of one package",
     .request = schema_of<schedule_request>(),
     .answers = {{201, "The task is durable.", schema_of<schedule_answer>()},
                 {400, "The platform cannot be tested.", {}},
                 {409, "The Idempotency-Key came with another body.", {}}},
     .max_body = 1 << 20,
     .words = dialect::alts,
     .run = schedule},
    {.method = "GET",
     .path = "/tasks/{task_id}/result",
     .least = token_level::read,
     .tag = "ALTS",
     .summary = "Returns the state of a task, and its summary once there is a verdict",
     .answers = {{200, "State and summary; PENDING for an unknown task.", {}}},
     .words = dialect::alts,
     .run = result},
    {.method = "POST",
     .path = "/cancel_tasks",
     .least = token_level::submit,
     .tag = "ALTS",
     .summary = "Cancels the caller's tasks by the numbers that it gave them",
     .request = schema_of<cancel_tasks_request>(),
     .answers = {{200, "No task with these numbers goes on.", schema_of<cancel_tasks_answer>()}},
     .max_body = 64 << 10,
     .words = dialect::alts,
     .run = cancel_tasks},
  };
}

} // namespace troupe
