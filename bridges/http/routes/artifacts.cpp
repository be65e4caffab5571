#include "bridges/http/routes/artifact_pump.hpp"

/// Files that runs left.
namespace troupe {

namespace {

/// Returns the job and run that a request is about: the run asked for, else the last one.
caf::expected<artifact_key> find_run(const call& c) {
  auto id = c.job();
  if (!id)
    return std::move(id.error());
  auto job = c.ask<job_view>(c.shared.roles.history, get_job{*id});
  if (!job)
    return std::move(job.error());
  auto last = job->runs.empty() ? 0 : job->runs.back().run_id;
  auto asked = c.whole("run").value_or(last);
  if (asked > last)
    return fault_at(ec::not_found, "query.run", "there is no such run");
  return artifact_key{*id, static_cast<uint32_t>(asked), {}};
}

http_response artifacts_page(call& c) {
  auto key = find_run(c);
  if (!key)
    return c.fail(key.error());
  return answer(c,
                c.ask<artifact_list>(c.shared.roles.artifacts, list_artifacts{key->job, key->run}));
}

/// The last part of a path, without what could end the header's quotes.
std::string file_name(std::string_view path) {
  auto out = std::string{};
  for (auto c : path.substr(path.rfind('/') + 1))
    out += c == '"' || c == '\\' || static_cast<unsigned char>(c) >= 0x7F ? '_' : c;
  return out;
}

bool is_text(std::string_view name) {
  for (auto ending : {".log", ".txt", ".tap", ".out"})
    if (name.ends_with(ending))
      return true;
  return false;
}

http_response download(call& c) {
  auto key = find_run(c);
  if (!key)
    return c.fail(key.error());
  key->name = c.path("name");
  if (!obeys("path", key->name))
    return c.fail(fault_at(ec::not_found, "name", "there is no such artifact"));
  auto first = c.ask<artifact_chunk>(c.shared.roles.artifacts,
                                     read_artifact{*key, 0, artifact_pump::chunk_bytes, {}});
  if (!first && explain(first.error()).code == ec::not_found)
    return c.fail(fault_at(ec::not_found, "name", "there is no such artifact"));
  if (!first)
    return c.fail(first.error());
  auto out = http_response{};
  out.content_type = is_text(key->name) ? "text/plain; charset=utf-8" : "application/octet-stream";
  // What a test wrote must not run in the reader's browser as ours.
  out.headers.emplace("Content-Security-Policy", "default-src 'none'; sandbox");
  out.headers.emplace("Content-Disposition",
                      "attachment; filename=\"" + file_name(key->name) + '"');
  if (first->complete || first->bytes.empty())
    out.body = std::move(first->bytes);
  else
    out.stream = pump_stream<artifact_pump>(c.shared, *key, std::move(first->bytes), first->next);
  return out;
}

const auto run_parameter =
  query_parameter{"run", "Of this run; otherwise the last one.", parameter_type::whole, {},
                  0,     std::numeric_limits<uint32_t>::max()};

} // namespace

std::vector<route> artifact_routes() {
  return {
    {.method = "GET",
     .path = "/jobs/{job_id}/artifacts",
     .least = token_level::read,
     .tag = "jobs",
     .summary = "Lists the logs and files of a run",
     .query = {run_parameter},
     .answers = {{200, "Ordered by name.", schema_of<artifact_list>()}},
     .run = artifacts_page},
    {.method = "GET",
     .path = "/jobs/{job_id}/artifacts/{name*}",
     .least = token_level::read,
     .tag = "jobs",
     .summary = "Returns one log or file of a run",
     .query = {run_parameter},
     .answers = {{200, "Its bytes.", {}, "application/octet-stream"}},
     .run = download},
  };
}

} // namespace troupe
