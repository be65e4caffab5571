#pragma once

#include "messages/job_events.hpp"

#include <optional>
#include <string_view>

namespace troupe {

/// Folds one stored event into the view of its job. Events after the final one
/// change nothing, so a job has exactly one final state. Errors: `ec::corrupt`.
caf::error apply(job_view& job, const stored_event& x);

/// Returns the job that a packed job event speaks of, nothing for
/// `ledger_opened` and malformed bytes. Reads the head of the payload only.
std::optional<job_id> job_of(std::string_view payload);

} // namespace troupe
