#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace troupe {

/// Where the compatible paths copy their original beyond what is right. Source: DESIGN 9.
struct compat_options {
  bool alts_missing_token_403 = true; ///< Without a token 403, as FastAPI has it; else 401.
  bool alts_unknown_pending =
    true; ///< `GET /tasks/{id}/result` of an unknown id is 200 PENDING; else 404.
};

/// What a submission may ask for and gets by default. Times are per job.
struct submission_options {
  std::string default_runner = "docker"; ///< What "any" means; empty = the least loaded queue.
  std::vector<std::string> runners{"docker", "exec",
                                   "fake"}; ///< Runner types that may be asked for.
  uint32_t retries = 3;
  std::chrono::milliseconds queue_deadline{std::chrono::hours{24}};
  std::chrono::milliseconds run_deadline{std::chrono::hours{2}};
};

/// Options of the routes.
struct route_options {
  size_t max_watches = 32; ///< Each holds a worker while it waits; more are `saturated`.
  compat_options compat;
  submission_options submission;
  std::chrono::milliseconds heartbeat{
    std::chrono::seconds{15}}; ///< Silence on a live stream, at most.
};

} // namespace troupe
