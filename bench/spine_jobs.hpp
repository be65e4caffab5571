#pragma once

#include <cstddef>
#include <vector>

namespace troupe::bench {

/// Jobs per second from submit to stored verdict: submitted as messages, executed
/// by the `fake` driver (4 slots, 64 claimed each), all roles in this process.
double measure_jobs_end_to_end(size_t jobs);

/// Seconds that a container run of ours takes beyond what the engine takes for the
/// same container and command; one value per run. The engine is that of DOCKER_HOST, else a
/// private one. Throws if there is none or a run does not pass.
std::vector<double> measure_container_overhead(size_t runs);

} // namespace troupe::bench
