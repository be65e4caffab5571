#pragma once

#include "actors/runners/environment.hpp"

namespace troupe {

/// Runs a program of this host in a session of its own, without a shell;
/// `what.variables` is its whole environment. `out` sees both streams together.
///
/// At the limit, or at `stop`, the group gets TERM and a second later KILL;
/// nothing of the group is left. It dies with this process. Threads: blocks.
command_result run_on_host(const command& what, std::stop_token stop,
                           const std::function<void(std::string_view)>& out);

} // namespace troupe
