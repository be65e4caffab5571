#include "bridges/http/routes/job_events_pump.hpp"
#include "bridges/http/routes/log_pump.hpp"

#include <algorithm>
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

/// Returns the version of the job that the caller has seen; 0 for ids that are not ours.
uint64_t seen_version(const call& c, const job_view& job) {
  auto last = c.in.header("last-event-id");
  auto seen = uint64_t{0};
  auto [end, err] = std::from_chars(last.data(), last.data() + last.size(), seen);
  auto is_ours = err == std::errc{} && end == last.data() + last.size() && seen <= job.version;
  return is_ours ? seen : 0;
}

/// Whether a log may be resumed there: ids that are not of these logs begin anew.
bool is_in_logs(const log_place& place, const log_request& what, const job_view& job) {
  if (what.only_run && *what.only_run != place.run)
    return false;
  for (const auto& one : job.runs) {
    if (one.run_id != place.run)
      continue;
    auto logs = places_of(one);
    auto i = std::find(logs.begin(), logs.end(), place.log);
    return i != logs.end()
           && (what.only_stage.empty()
               || what.only_stage == one.stages[static_cast<size_t>(i - logs.begin())].name);
  }
  return false;
}

/// Whether there is, or still may be, a stage of that name in the runs that are asked for.
bool may_have_stage(const log_request& what, const job_view& job) {
  if (what.only_stage.empty() || job.state != job_state::finished)
    return true;
  auto has_it = [&](const auto& x) { return x.name == what.only_stage; };
  return std::any_of(job.runs.begin(), job.runs.end(), [&](const auto& one) {
    return one.run_id == what.from.run && std::any_of(one.stages.begin(), one.stages.end(), has_it);
  });
}

http_response events(call& c) {
  auto job = followed_job(c);
  if (!job)
    return c.fail(job.error());
  auto seen = seen_version(c, *job);
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
  if (auto number = c.whole("run")) {
    what.only_run = static_cast<uint32_t>(*number);
    if (job->runs.empty() || *what.only_run > job->runs.back().run_id)
      return c.fail(fault_at(ec::not_found, "query.run", "there is no such run"));
  }
  what.from.run = what.only_run.value_or(job->runs.empty() ? 0 : job->runs.back().run_id);
  if (!may_have_stage(what, *job))
    return c.fail(fault_at(ec::not_found, "query.stage", "there is no such stage"));
  if (auto place = parse_log_place(c.in.header("last-event-id"));
      place && what.follow && is_in_logs(*place, what, *job))
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
