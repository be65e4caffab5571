#pragma once

#include "messages/job.hpp"
#include "messages/json.hpp"

#include <string_view>

/// A job in the words of ALTS. Source: spec/testing.md 1.1, 2.7.
namespace troupe {

/// Returns the Celery state: PENDING, STARTED, SUCCESS, FAILURE or REVOKED.
/// SUCCESS says that there is a verdict, not that the package is good.
std::string_view celery_state(const job_view& job);

/// Returns the summary of the last run: each stage, the tests with their output, the logs.
json task_summary(const job_view& job);

} // namespace troupe
