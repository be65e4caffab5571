#pragma once

#include <cstddef>

namespace troupe::bench {

/// Claim, run and finish of jobs that were queued before: 300-byte specs, `fake`
/// driver, 4 slots with 64 runs claimed each.
struct job_figures {
  double per_second = 0;
  double cpu_seconds = 0; ///< Per job, of all processes.
};

/// A node with the state and a node with the runner, joined over TLS on loopback;
/// this process watches from a third one.
job_figures measure_remote_jobs(size_t jobs);

/// The same in this process alone.
job_figures measure_local_jobs(size_t jobs);

} // namespace troupe::bench
