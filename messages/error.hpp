#pragma once

#include <caf/error.hpp>
#include <caf/expected.hpp>
#include <caf/make_message.hpp>

#include <cstdint>
#include <string>

namespace troupe {

/// Every failure that crosses an actor boundary. Append only, never renumber:
/// the number travels between nodes.
enum class ec : uint8_t {
  unspecified = 1,
  invalid_argument, ///< The caller's data is wrong; the context names the field.
  invalid_config,   ///< A configuration file is wrong; the context names file:line:column.
  unauthorized,     ///< No valid credentials.
  forbidden,        ///< Valid credentials without the right.
  not_found,        ///< No such job, artifact, cursor, ...
  conflict,         ///< The state does not allow it, or an id came back with another body.
  gone,             ///< It existed and retention removed it.
  too_large,        ///< Over a size limit.
  saturated,        ///< A queue is full; the same request may succeed later.
  unavailable,      ///< A part is absent, starting or broken; retry later.
  timeout,          ///< No answer within the deadline.
  stale_run,        ///< The run has lost its lease; its result is not wanted.
  disk_full,        ///< The disk guard refuses writes; retry when space is back.
  corrupt,          ///< Stored bytes do not check out.
  unsupported,      ///< Newer format, unknown kind or unknown runner type.
  canceled,         ///< The caller or a shutdown ended it.
};

/// Returns the stable lower-case name, e.g. "invalid_argument".
std::string to_string(ec code);

/// Returns an error with a sentence for people.
caf::error fault(ec code, std::string text);

/// Returns an error at a place: a field path ("repositories[0].url"), or a file position.
caf::error fault_at(ec code, std::string place, std::string text);

/// What an error says: code, place (may be empty) and text, for any CAF error.
struct fault_text {
  ec code = ec::unspecified;
  std::string place;
  std::string text;
};

/// Returns the parts of `why`; errors of CAF itself become `timeout` or `unavailable`.
fault_text explain(const caf::error& why);

/// Returns "place: text" or "text": one line for a log or a terminal.
std::string one_line(const caf::error& why);

/// True if the same request may succeed later.
bool retryable(const caf::error& why);

} // namespace troupe

CAF_ERROR_CODE_ENUM(troupe::ec, "troupe")
