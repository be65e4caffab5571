#pragma once

#include "nodes/cli/session.hpp"
#include "nodes/cli/terminal.hpp"

namespace troupe::cli {

/// How to follow a job.
struct follow_options {
  bool log = false; ///< Also show the log as it grows.
  bool raw = false; ///< Do not escape it.
};

/// Follows a job to its verdict and shows what happens: lines for people, or
/// with `json` the job as one JSON line per change. Outlives restarts of the
/// node: what cannot be reached is called again until it has been away for
/// `settings.timeout`. Returns the exit code. Blocks.
int follow_job(const terminal& io, const settings& in, session& server, const job_id& job,
               const follow_options& how);

} // namespace troupe::cli
