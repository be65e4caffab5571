#pragma once

#include "bridges/http/routes/call.hpp"
#include "messages/test.hpp"

#include <optional>
#include <string>
#include <vector>

/// From what a caller asks for to the job that the ledger gets.
namespace troupe {

/// What a submission says beyond the test itself.
struct job_terms {
  int32_t priority = 5;
  std::optional<uint32_t> retries;
  bool retry_on_timeout = false;
  caf::timespan queue_deadline{0}; ///< 0 = the bridge's default.
  caf::timespan run_deadline{0};   ///< 0 = the bridge's default.
  std::vector<std::string> capabilities;
  labels tags;
};

/// Checks what field rules cannot say: addresses, whole variables, unique names;
/// and names the unnamed repositories. Places are those of `test_spec`.
void complete_test(test_spec& test, std::vector<json_fault>& faults);

/// Returns the job of a test: queue, tags, owner, packed spec.
/// Errors: `ec::invalid_argument` at `dist_name`, `dist_arch` or `runner_type`; `ec::unavailable`.
caf::expected<submit_job> plan_test(const call& c, test_spec test, const job_terms& terms);

/// Puts the caller's Idempotency-Key into a job. Errors: `ec::invalid_argument`.
caf::error claim_request_id(const call& c, submit_job& job);

/// Returns the 64-bit FNV-1a hash of a body: the same bytes, the same request.
uint64_t body_digest(std::string_view body);

} // namespace troupe
