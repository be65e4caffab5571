#pragma once

#include <cstddef>
#include <set>
#include <string>

namespace troupe {

/// What `kill_carriers` met.
struct killed_carriers {
  size_t found = 0;
  bool all_gone = true; ///< False: something does not die even now.
};

/// Kills the processes of this host whose environment holds one of these "NAME=value" words, and
/// their descendants, until none is left, for about a second.
/// Never kills this process, nor one that took a number over meanwhile.
///
/// A process that was started with a cleaned environment, or as another user, is not found unless
/// its parent is. Threads: any; blocks.
killed_carriers kill_carriers(const std::set<std::string>& words);

} // namespace troupe
