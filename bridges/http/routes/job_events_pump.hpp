#pragma once

#include "bridges/http/routes/stream_pump.hpp"

namespace troupe {

/// Streams a job: one event "job" per change, its id the version; ends after
/// the final one.
class job_events_pump final : public stream_pump {
public:
  job_events_pump(caf::actor_config& cfg, stream_writer out, std::shared_ptr<route_context> shared,
                  job_id job, uint64_t version)
    : stream_pump{cfg, std::move(out), std::move(shared)}, job_{job}, version_{version} {}

private:
  void next() override;

  const job_id job_;
  uint64_t version_; ///< What the peer has.
};

} // namespace troupe
