#pragma once

#include "messages/error.hpp"
#include "messages/reason.hpp"

namespace troupe::cli {

/// What `troupe` tells its caller. Scripts rely on these numbers.
namespace exit_code {

inline constexpr auto pass = 0;
inline constexpr auto fail = 1;        ///< Verdict: the package is broken.
inline constexpr auto bad_input = 2;   ///< Usage, bad file, refused request.
inline constexpr auto unreachable = 3; ///< No server, or it cannot answer now.
inline constexpr auto error = 4;       ///< Verdict: the infrastructure failed.
inline constexpr auto timeout = 5;     ///< Verdict: it took too long.
inline constexpr auto canceled = 6;    ///< Verdict: somebody canceled it.
inline constexpr auto not_allowed = 7; ///< No valid token, or not the right.
inline constexpr auto not_found = 8;
inline constexpr auto interrupted = 130; ///< Ctrl-C; the job goes on.

} // namespace exit_code

/// Returns the exit code for a verdict; neutral counts as pass.
int exit_code_of(verdict result);

/// Returns the exit code for a failure.
int exit_code_of(const caf::error& why);

} // namespace troupe::cli
