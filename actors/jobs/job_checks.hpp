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

/// Whether a runner names itself well. Errors: `ec::invalid_argument` at a field.
caf::error check_runner(const std::string& runner, const std::string& boot);

} // namespace troupe
