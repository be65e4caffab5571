#pragma once

#include "bridges/http/server.hpp"
#include "messages/json.hpp"

#include <string>
#include <string_view>
#include <vector>

/// Failures as HTTP answers. The only table from `ec` to a status.
namespace troupe {

/// Whose words an answer speaks. Source: DESIGN 9, spec/testing.md 1.1.
enum class dialect : uint8_t {
  native,
  alts, ///< FastAPI's bodies, and `{"success":false,...}` of AlmaLinux ALTS.
};

inline constexpr auto alts_api_version = std::string_view{"20210512"};

/// Returns the status for a failure.
int http_status(ec code);

/// Returns a JSON answer.
http_response json_response(int status, const json& body);

/// Returns a text answer.
http_response text_response(int status, std::string text);

/// Returns the answer for a failure; those that pass by themselves carry Retry-After.
http_response error_response(dialect words, const caf::error& why);

/// Returns 422 with the faults of a document, as many as `json_reader` keeps; native text that is
/// not JSON at all gets 400.
http_response fault_response(dialect words, const std::vector<json_fault>& faults);
http_response syntax_response(dialect words, const caf::error& why);

/// Returns FastAPI's `{"detail": text}`.
http_response detail_response(int status, std::string_view text);

} // namespace troupe
