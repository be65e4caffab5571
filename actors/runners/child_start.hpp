#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace troupe {

/// What a program of this host is started with.
struct child_order {
  std::vector<std::string> argv;      ///< An absolute path and its arguments, no shell in between.
  std::vector<std::string> variables; ///< "NAME=value": its whole environment.
  std::string work_dir = "/";
};

/// Starts a program in a session of its own, with these three streams and no other descriptor,
/// with no blocked signals and all of them as at first. The kernel kills it when the *thread* that
/// started it ends, and so also when this process is killed: keep the thread as long as the child.
/// Returns 0 or an errno.
int start_child(pid_t& child, const child_order& what, int in, int out, int errors);

} // namespace troupe
