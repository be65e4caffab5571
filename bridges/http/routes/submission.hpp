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

/// Whether results may be sent there: http or https, a host, no user or password.
bool is_callback_address(std::string_view url);

/// Returns the job of a test: queue, tags, owner, packed spec.
/// Errors: `ec::invalid_argument` at `dist_name`, `dist_arch` or `runner_type`; `ec::unavailable`.
caf::expected<submit_job> plan_test(const call& c, test_spec test, const job_terms& terms);

/// Returns the id that a request has by its Idempotency-Key, unique for its
/// subject; empty without the header. Errors: `ec::invalid_argument`.
caf::expected<std::string> request_id(const call& c);

/// Returns the 64-bit FNV-1a hash of a text.
uint64_t text_digest(std::string_view text);

/// Puts the caller's Idempotency-Key and a hash of path and body into a command.
/// Errors: `ec::invalid_argument`.
template <record T>
caf::error claim_request_id(const call& c, T& what) {
  auto id = request_id(c);
  if (!id)
    return std::move(id.error());
  what.request_id = std::move(*id);
  if (!what.request_id.empty())
    what.request_digest = text_digest(c.in.path + '\n' + c.in.body);
  return caf::none;
}

} // namespace troupe
