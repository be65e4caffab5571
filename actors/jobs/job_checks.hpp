#pragma once

#include "actors/jobs/ledger_options.hpp"
#include "messages/run.hpp"

#include <string>

namespace troupe {

/// Whether a job may be submitted; `place` stands before the field's name, e.g.
/// "jobs[3].". Errors: `ec::invalid_argument` and `ec::too_large` at a field.
caf::error check(const submit_job& what, const std::string& place, const ledger_options& limits);

/// Whether a claim makes sense. Errors: `ec::invalid_argument` at a field.
caf::error check(const claim_runs& what);

/// Whether a runner's word about itself makes sense. Errors: `ec::invalid_argument` at a field.
caf::error check(const runner_status& what);

/// Whether an idempotency key may enter. Errors: `ec::invalid_argument` at `request_id`.
caf::error check_request_id(const std::string& id);

/// Whether a runner names itself well. Errors: `ec::invalid_argument` at a field.
caf::error check_runner(const std::string& runner, const std::string& boot);

/// Whether the jobs of one request fit into one append. Errors: `ec::too_large`.
caf::error check_size(const std::vector<submit_job>& jobs);

/// Errors: `ec::too_large` at the report that is, so that all of it fits into one append.
caf::error check(const finish_runs& what);
caf::error check(const report_stages& what);

/// Whether an outside processor's word makes sense. Errors: `ec::invalid_argument` and
/// `ec::too_large` at a field.
caf::error check(const outside_report& what);

/// Whether these events may stand beside jobs: few, small, and none of the ledger's own.
/// Errors: `ec::invalid_argument` and `ec::too_large` at `events`.
caf::error check_events(const std::vector<event>& events);

} // namespace troupe
