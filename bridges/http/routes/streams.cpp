#include "bridges/http/routes/job_events_pump.hpp"
#include "bridges/http/routes/log_pump.hpp"

#include <charconv>

/// Live streams as server-sent events.
namespace troupe {

namespace {

http_response event_stream(std::function<void(stream_writer)> begin) {
  auto out = http_response{};
  out.content_type = "text/event-stream";
  // Proxies that buffer would hold back the events.
  out.headers.emplace("X-Accel-Buffering", "no");
  out.stream = std::move(begin);
  return out;
}

/// Tells a browser not to connect again.
http_response no_more_events() {
  auto out = http_response{};
  out.status = 204;
  return out;
}

caf::expected<job_view> followed_job(const call& c) {
  auto id = c.job();
  if (!id)
    return std::move(id.error());
  return c.ask<job_view>(c.shared.roles.history, get_job{*id});
}

http_response events(call& c) {
  auto job = followed_job(c);
  if (!job)
    return c.fail(job.error());
  auto seen = uint64_t{0};
  auto last = c.in.header("last-event-id");
  std::from_chars(last.data(), last.data() + last.size(), seen);
  if (job->state == job_state::finished && seen >= job->version)
    return no_more_events();
  return event_stream(pump_stream<job_events_pump>(c.shared, job->job, seen));
}

http_response job_log(call& c) {
  auto job = followed_job(c);
  if (!job)
    return c.fail(job.error());
  auto what = log_request{};
  what.job = job->job;
  what.only_stage = c.text("stage");
  what.follow = c.flag("follow");
  if (!what.only_stage.empty() && !obeys("name", what.only_stage))
    return c.fail(fault_at(ec::not_found, "query.stage", "there is no such stage"));
  if (auto number = c.whole("run")) {
    what.only_run = static_cast<uint32_t>(*number);
    if (job->runs.empty() || *what.only_run > job->runs.back().run_id)
      return c.fail(fault_at(ec::not_found, "query.run", "there is no such run"));
  }
  what.from.run = what.only_run.value_or(job->runs.empty() ? 0 : job->runs.back().run_id);
  if (auto place = parse_log_place(c.in.header("last-event-id")); place && what.follow)
    what.from = *place;
  if (what.follow)
    return event_stream(pump_stream<log_pump>(c.shared, std::move(what)));
  auto out = text_response(200, {});
  out.stream = pump_stream<log_pump>(c.shared, std::move(what));
  return out;
}

} // namespace

std::vector<route> stream_routes() {
  return {
    {.method = "GET",
     .path = "/jobs/{job_id}/events",
     .least = token_level::read,
     .tag = "jobs",
     .summary = "Streams the job: one event per change until it is finished; Last-Event-ID resumes",
     .answers = {{200, "Server-sent events \"job\".", {}, "text/event-stream"},
                 {204, "Finished, and all was seen.", {}, ""}},
     .run = events},
    {.method = "GET",
     .path = "/jobs/{job_id}/log",
     .least = token_level::read,
     .tag = "jobs",
     .summary = "Returns the log of the last run; follow=1 streams it live, Last-Event-ID resumes",
     .query = {{"stage", "Only of this stage."},
               {"run",
                "Only of this run; otherwise the last one.",
                parameter_type::whole,
                {},
                0,
                std::numeric_limits<uint32_t>::max()},
               {"follow",
                "Server-sent events \"stage\", \"log\", \"end\" until the job is finished.",
                parameter_type::flag}},
     .answers = {{200, "Text; with follow server-sent events.", {}, "text/plain"}},
     .run = job_log},
  };
}

} // namespace troupe
