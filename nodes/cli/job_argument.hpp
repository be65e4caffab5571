#pragma once

#include "messages/ids.hpp"

#include <CLI/App.hpp>

#include <string>
#include <vector>

namespace troupe::cli {

/// Adds the argument JOB, which must be a job's id.
CLI::Option* add_job(CLI::App& verb, job_id& out);

/// Adds the arguments JOB..., at least one.
CLI::Option* add_jobs(CLI::App& verb, std::vector<job_id>& out);

} // namespace troupe::cli
