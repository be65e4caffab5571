#pragma once

#include "bench/http_load.hpp"

#include <cstddef>

namespace troupe::bench {

/// POST /tasks/schedule, HS256, 400-byte body, 64 keep-alive connections, no runner.
http_load_result measure_accepts();

/// Jobs per second, submitted one by one over HTTP, executed by the `fake` driver.
double measure_jobs_over_http();

/// A node with every role and nothing to do.
struct idle_figures {
  double cold_start_ms = 0; ///< From exec to the first 200 of /healthz/ready, empty data folder.
  double resident_mib = 0;
  double cpu_percent = 0; ///< Of one core, over 5 s.
};
idle_figures measure_idle();

/// Resident MiB of a node that holds this many queued jobs with 400-byte bodies.
double measure_queued(size_t jobs);

} // namespace troupe::bench
