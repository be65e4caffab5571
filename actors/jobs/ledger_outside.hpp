#pragma once

#include "actors/jobs/lane.hpp"
#include "messages/job_events.hpp"

namespace troupe {

/// Whether processors outside of Troupe do a job's runs.
inline bool is_outside(const job_slot& job) {
  return job.way->queue().name == outside_queue;
}

/// Returns the attempt that an outside processor was told when it took this run: it
/// differs from the run's number when a broker gave one message to two of them.
uint32_t published_of(const run_started& x);

} // namespace troupe
