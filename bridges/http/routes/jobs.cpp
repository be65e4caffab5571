#include "bridges/http/routes/call.hpp"
#include "bridges/http/routes/job_report.hpp"

/// Reading jobs. Source: DESIGN 3, 9.
namespace troupe {

namespace {

/// Time kept back from a long poll for the answer itself.
constexpr auto answer_time = std::chrono::milliseconds{200};

http_response jobs_page(call& c) {
  auto query = list_jobs{};
  if (auto word = c.text("state"); !word.empty())
    query.state = enum_of<job_state>(word);
  if (auto word = c.text("result"); !word.empty())
    query.result = enum_of<verdict>(word);
  query.kind = c.text("kind");
  query.queue = c.text("queue");
  query.subject = c.text("subject");
  if (query.subject.empty())
    query.subject = c.text("package");
  query.owner = c.text("owner");
  query.cursor = c.text("cursor");
  query.limit = static_cast<uint32_t>(c.whole("limit").value_or(50));
  for (const auto& [name, value] : c.in.query)
    if (name.starts_with("tag."))
      query.tags[name.substr(4)] = value;
  return answer(c, c.ask<job_page>(c.shared.roles.history, std::move(query)));
}

caf::expected<job_view> find_job(const call& c, uint64_t newer_than = 0, caf::timespan wait = {}) {
  auto id = c.job();
  if (!id)
    return std::move(id.error());
  return c.ask<job_view>(c.shared.roles.history, get_job{*id, newer_than, wait});
}

http_response show(call& c) {
  return answer(c, find_job(c));
}

/// The right to wait, out of a number that leaves workers to the others.
class watch_place {
public:
  explicit watch_place(route_context& shared)
    : taken_{shared.watches}, granted_{++taken_ <= shared.options.max_watches} {}
  ~watch_place() {
    --taken_;
  }
  watch_place(const watch_place&) = delete;
  watch_place& operator=(const watch_place&) = delete;

  explicit operator bool() const {
    return granted_;
  }

private:
  std::atomic<size_t>& taken_;
  const bool granted_;
};

http_response watch(call& c) {
  auto place = watch_place{c.shared};
  if (!place)
    return c.fail(fault(ec::saturated, "too many wait for changes of jobs"));
  auto wait = std::max(caf::timespan{0}, c.remaining() - caf::timespan{answer_time});
  return answer(c, find_job(c, static_cast<uint64_t>(c.whole("newer_than").value_or(0)), wait));
}

http_response junit(call& c) {
  auto job = find_job(c);
  if (!job)
    return c.fail(job.error());
  auto out = text_response(200, junit_report(*job));
  out.content_type = "application/xml; charset=utf-8";
  return out;
}

http_response tap(call& c) {
  auto job = find_job(c);
  return job ? text_response(200, tap_report(*job)) : c.fail(job.error());
}

const auto parameter_filters = std::vector<query_parameter>{
  {"state", "Only in this state.", parameter_type::word, "queued|running|finished"},
  {"result", "Only with this result.", parameter_type::word,
   "none|pass|fail|neutral|error|timeout|canceled"},
  {"kind", "Only of this kind."},
  {"queue", "Only of this queue."},
  {"subject", "Only about this, e.g. a package."},
  {"package", "Says the same as `subject`."},
  {"owner", "Only of this owner."},
  {"tag.*", "Only with this tag: `tag.dist=debian-12`."},
  {"cursor", "The `next` of the page before."},
  {"limit", "Jobs at most.", parameter_type::whole, {}, 1, 1000},
};

} // namespace

std::vector<route> job_routes() {
  return {
    {.method = "GET",
     .path = "/jobs",
     .least = token_level::read,
     .tag = "jobs",
     .summary = "Lists jobs, newest first, without stages",
     .query = parameter_filters,
     .answers = {{200, "One page.", schema_of<job_page>()}},
     .run = jobs_page},
    {.method = "GET",
     .path = "/jobs/{job_id}",
     .least = token_level::read,
     .tag = "jobs",
     .summary = "Returns one job with its runs and stages",
     .answers = {{200, "The job.", schema_of<job_view>()}},
     .run = show},
    {.method = "GET",
     .path = "/jobs/{job_id}/watch",
     .least = token_level::read,
     .tag = "jobs",
     .summary =
       "Returns the job when it is newer than a version, or when the request's time is over",
     .query = {{"newer_than", "The version that is known.", parameter_type::whole, {}, 0}},
     .answers = {{200, "The job.", schema_of<job_view>()}},
     .run = watch},
    {.method = "GET",
     .path = "/jobs/{job_id}/junit.xml",
     .least = token_level::read,
     .tag = "jobs",
     .summary = "Returns the last run as JUnit XML",
     .answers = {{200, "One test case per stage.", {}, "application/xml"}},
     .run = junit},
    {.method = "GET",
     .path = "/jobs/{job_id}/tap",
     .least = token_level::read,
     .tag = "jobs",
     .summary = "Returns the last run as TAP",
     .answers = {{200, "One line per stage.", {}, "text/plain"}},
     .run = tap},
  };
}

} // namespace troupe
