#pragma once

#include "messages/job.hpp"

#include <string>

/// The last run of a job in formats of other tools.
namespace troupe {

/// Returns JUnit XML: one suite, one case per stage.
std::string junit_report(const job_view& job);

/// Returns TAP version 13: one line per stage.
std::string tap_report(const job_view& job);

} // namespace troupe
