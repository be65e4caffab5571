#include "bridges/http/routes/task_summary.hpp"

#include <algorithm>

namespace troupe {

std::string_view celery_state(const job_view& job) {
  switch (job.state) {
    case job_state::queued: return "PENDING";
    case job_state::running: return "STARTED";
    case job_state::finished: break;
  }
  switch (job.result) {
    case verdict::pass:
    case verdict::fail:
    case verdict::neutral: return "SUCCESS";
    case verdict::canceled: return "REVOKED";
    default: return "FAILURE";
  }
}

json task_summary(const job_view& job) {
  auto out = json{{"skipped_tests", json::array()}, {"tests", json::object()}};
  auto logs = json::array();
  if (!job.runs.empty()) {
    const auto& last = job.runs.back();
    auto id = to_string(job.job);
    for (const auto& step : last.stages) {
      if (!step.finished)
        continue;
      auto dot = step.name.find('.');
      if (dot == std::string::npos)
        out[step.name] = {{"success", step.success}};
      else
        out[step.name.substr(0, dot)][step.name.substr(dot + 1)] = {{"success", step.success},
                                                                    {"output", step.output}};
      if (step.log) {
        auto name = step.name;
        std::replace(name.begin(), name.end(), '.', '_');
        logs.push_back({{"name", name + '_' + id + ".log"},
                        {"href", "/jobs/" + id + "/artifacts/" + step.log->name
                                   + "?run=" + std::to_string(last.run_id)},
                        {"type", "test_log"}});
      }
    }
  }
  out["logs"] = std::move(logs);
  return out;
}

} // namespace troupe
