#pragma once

#include "actors/directory.hpp"
#include "messages/protocols.hpp"

#include <chrono>
#include <deque>
#include <functional>
#include <string>
#include <vector>

namespace troupe {

/// One role that a supervisor keeps alive.
struct supervised_role {
  std::string role;
  /// Spawns the actor; may block. Errors: whatever keeps the role from starting.
  std::function<caf::expected<caf::strong_actor_ptr>()> start;
  bool critical =
    false; ///< Its end is the node's end: what depends on it cannot go on in this process.
  bool drains = false; ///< Understands `drain_atom`.
};

/// How patient a supervisor is. Source: CAF.md 13, supervision.
struct supervisor_options {
  std::string node = "node";
  std::string boot;
  std::chrono::milliseconds first_backoff{100};
  std::chrono::milliseconds longest_backoff{30'000};
  size_t restarts_per_minute = 5;                ///< More is giving up.
  std::chrono::milliseconds drain_limit{30'000}; ///< For all roles together, when the node leaves.
  std::chrono::milliseconds role_grace{1'000};   ///< What a role has for its drain in any case.
  std::chrono::milliseconds end_limit{10'000};   ///< Then, for all roles to end.
  /// Called once, from the supervisor's thread, when the node cannot go on; the
  /// flag tells that a role failed in its very first start.
  std::function<void(const std::string& why, bool at_start)> give_up;
  /// Called from the supervisor's thread when roles (their names) do not end in
  /// time: whoever waits for their threads waits for ever.
  std::function<void(const std::string& roles)> stuck;
};

/// State of the supervisor.
struct supervisor_state {
  static inline const char* name = "supervisor";

  struct child {
    supervised_role what;
    caf::strong_actor_ptr actor;
    std::deque<std::chrono::steady_clock::time_point> ends; ///< Within the last minute.
    uint32_t restarts = 0;
    std::string last_error;
  };

  supervisor_options options;
  directory* roles = nullptr;
  std::vector<child> children;
  bool stopping = false;
};

/// Supervises `children`, started in their order. Spawn it detached: starting a
/// role may block (it opens files, binds ports).
supervisor_actor::behavior_type
supervisor(supervisor_actor::stateful_pointer<supervisor_state> self, directory* roles,
           std::vector<supervised_role> children, supervisor_options options);

} // namespace troupe
