#include "nodes/cli/progress.hpp"

#include "config/printable.hpp"
#include "nodes/cli/job_text.hpp"

namespace troupe::cli {

bool job_progress::first(std::string what) {
  return said_.insert(std::move(what)).second;
}

void job_progress::tell_run(const run& r, std::vector<std::string>& out) {
  auto key = std::to_string(r.run_id);
  if (first(key))
    out.push_back(run_title(r));
  for (auto i = size_t{0}; i < r.stages.size(); ++i)
    if (r.stages[i].finished && first(key + '/' + std::to_string(i)))
      out.push_back(stage_line(io_, r.stages[i]));
  if (r.result == verdict::none || !first(key + " end"))
    return;
  // The verdict of the last run is that of the job; of others it says why there was another one.
  auto line = run_title(r) + ": " + io_.paint(color_of(r.result), name_of(r.result));
  if (r.why != reason::none)
    line += ", " + std::string{name_of(r.why)};
  if (!r.note.empty())
    line += ": " + printable(r.note);
  if (r.result != verdict::pass)
    out.push_back(std::move(line));
}

std::vector<std::string> job_progress::news(const job_view& job) {
  auto out = std::vector<std::string>{};
  if (job.state == job_state::queued && job.runs.empty() && first("queued"))
    out.push_back("queued in " + printable(job.queue));
  for (const auto& r : job.runs)
    tell_run(r, out);
  if (job.cancel_requested && job.state != job_state::finished && first("cancel"))
    out.push_back("cancel requested");
  return out;
}

std::string job_progress::status(const job_view& job, caf::timestamp now) {
  if (job.state == job_state::finished)
    return state_word(job);
  if (job.state == job_state::queued || job.runs.empty())
    return "queued " + time_between(job.created_at, now) + " in " + printable(job.queue);
  const auto& r = job.runs.back();
  if (!r.stages.empty() && !r.stages.back().finished)
    return printable(r.stages.back().name) + ' ' + time_between(r.stages.back().started_at, now);
  return "running " + time_between(r.started_at, now);
}

} // namespace troupe::cli
