#include "bridges/http/routes/job_request.hpp"

/// Submitting jobs.
namespace troupe {

namespace {

constexpr auto most_tags = size_t{32};

/// 1024 jobs with every field and some repositories.
constexpr auto most_batch_keys = size_t{100'000};

/// Tags that the bridge derives itself; a caller cannot forge them.
constexpr auto derived_tags = std::string_view{"dist|arch|package_version|bs_task_id"};

void check_tags(const labels& tags, std::vector<json_fault>& faults) {
  if (tags.size() > most_tags)
    faults.push_back({"tags", "has more than " + std::to_string(most_tags) + " items"});
  for (const auto& [name, value] : tags) {
    if (!obeys("word", name) || detail::in_choice(derived_tags, name))
      faults.push_back({"tags." + name, "is not a name for a tag"});
    else if (!obeys("line", value))
      faults.push_back({"tags." + name, "must be one line"});
  }
}

test_spec make_test(job_request& in) {
  auto out = test_spec{};
  out.runner_type = std::move(in.runner_type);
  out.dist_name = std::move(in.dist_name);
  out.dist_version = std::move(in.dist_version);
  out.dist_arch = std::move(in.dist_arch);
  out.repositories = std::move(in.repositories);
  out.package_name = std::move(in.package_name);
  out.package_version = std::move(in.package_version);
  out.package_epoch = std::move(in.package_epoch);
  out.module_name = std::move(in.module_name);
  out.module_stream = std::move(in.module_stream);
  out.module_version = std::move(in.module_version);
  out.tests = std::move(in.tests);
  out.variables = std::move(in.variables);
  out.verbose = in.verbose;
  out.bs_task_id = in.bs_task_id;
  out.callback_href = std::move(in.callback_href);
  out.stage_timeout = in.stage_timeout;
  return out;
}

/// Returns the job of one request; `place` is where it stands in the body.
std::optional<submit_job> plan(const call& c, job_request& in, const std::string& place,
                               std::vector<json_fault>& faults, caf::error& why) {
  auto own = std::vector<json_fault>{};
  check_tags(in.tags, own);
  auto terms = job_terms{in.priority,     in.retries,      in.retry_on_timeout, in.queue_deadline,
                         in.run_deadline, in.capabilities, std::move(in.tags)};
  auto test = make_test(in);
  complete_test(test, own);
  if (!test.callback_href.empty() && !is_callback_address(test.callback_href))
    own.push_back({"callback_href", "must be an http or https address with a host, no user"});
  if (test.package_epoch.find_first_not_of("0123456789") != std::string::npos)
    own.push_back({"package_epoch", "must be decimal"});
  auto job = caf::expected<submit_job>{caf::error{}};
  if (own.empty()) {
    job = plan_test(c, std::move(test), terms);
    if (job)
      return std::move(*job);
    if (auto parts = explain(job.error()); parts.code == ec::invalid_argument)
      own.push_back({parts.place, parts.text});
    else
      why = std::move(job.error());
  }
  for (auto& fault : own)
    faults.push_back({place + fault.place, std::move(fault.text)});
  return std::nullopt;
}

template <record T>
std::optional<http_response> read_body(const call& c, T& out, json_limits limits = {}) {
  auto body = c.document(limits);
  if (!body)
    return syntax_response(c.at.words, body.error());
  auto reader = json_reader{};
  reader.strict = true;
  reader.read(*body, out, "");
  if (!reader.faults.empty())
    return c.fail(reader.faults);
  return std::nullopt;
}

http_response submit(call& c) {
  auto in = job_request{};
  if (auto refused = read_body(c, in))
    return std::move(*refused);
  auto faults = std::vector<json_fault>{};
  auto why = caf::error{};
  auto job = plan(c, in, "", faults, why);
  if (!faults.empty())
    return c.fail(faults);
  if (!job)
    return c.fail(why);
  if (auto err = claim_request_id(c, *job))
    return c.fail(err);
  auto accepted = c.ask<job_accepted>(c.shared.roles.jobs, std::move(*job));
  auto out = answer(c, accepted, 201);
  if (accepted)
    out.headers.emplace("Location", "/jobs/" + to_string(accepted->job));
  return out;
}

http_response submit_batch(call& c) {
  auto in = job_batch_request{};
  if (auto refused = read_body(c, in, {.keys = most_batch_keys}))
    return std::move(*refused);
  if (in.jobs.empty())
    return c.fail({{"jobs", "must not be empty"}});
  auto faults = std::vector<json_fault>{};
  auto why = caf::error{};
  auto batch = submit_jobs{};
  for (auto i = size_t{0}; i < in.jobs.size() && faults.size() < json_reader::most_faults; ++i) {
    auto job = plan(c, in.jobs[i], "jobs[" + std::to_string(i) + "].", faults, why);
    if (why)
      return c.fail(why);
    if (!job)
      continue;
    batch.jobs.push_back(std::move(*job));
  }
  if (!faults.empty())
    return c.fail(faults);
  if (auto err = claim_request_id(c, batch))
    return c.fail(err);
  return answer(c, c.ask<jobs_accepted>(c.shared.roles.jobs, std::move(batch)), 201);
}

} // namespace

std::vector<route> submission_routes() {
  return {
    {.method = "POST",
     .path = "/jobs",
     .least = token_level::submit,
     .tag = "jobs",
     .summary = "Submits a job; an Idempotency-Key makes repeating it harmless",
     .request = schema_of<job_request>(),
     .answers = {{201, "The job is durable.", schema_of<job_accepted>()},
                 {409, "The Idempotency-Key came with another body.", {}}},
     .max_body = 1 << 20,
     .run = submit},
    {.method = "POST",
     .path = "/jobs/batch",
     .least = token_level::submit,
     .tag = "jobs",
     .summary =
       "Submits up to 1024 jobs, all or none; an Idempotency-Key makes repeating it harmless",
     .request = schema_of<job_batch_request>(),
     .answers = {{201, "The jobs are durable, in order.", schema_of<jobs_accepted>()},
                 {409, "The Idempotency-Key came with another body.", {}}},
     .max_body = 4 << 20,
     .run = submit_batch},
  };
}

} // namespace troupe
