#include "bridges/http/routes/job_events_pump.hpp"

namespace troupe {

void job_events_pump::next() {
  auto wait = caf::timespan{shared_->options.heartbeat};
  ask<job_view>(
    shared_->roles.history, wait, get_job{job_, version_, wait},
    [this](job_view& job) {
      auto final = job.state == job_state::finished;
      if (job.version <= version_)
        return final ? finish({}) : beat();
      version_ = job.version;
      auto text = sse_event("job", std::to_string(version_), write_json(job));
      if (final)
        finish(std::move(text));
      else
        send(std::move(text));
    },
    [this](caf::error&) { finish({}); });
}

} // namespace troupe
