#pragma once

#include <caf/actor_cast.hpp>
#include <caf/actor_control_block.hpp>

#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace troupe {

/// Finds the actor that plays a role now: role -> handle, never an address.
/// An absent role is an empty slot; a restarted one has a new handle, so look it
/// up at each use and keep none.
///
/// Threads: any.
class directory {
public:
  /// Returns the role's handle, empty if it is absent: test with `if (handle)`.
  template <class Handle>
  Handle find(std::string_view role) const {
    return caf::actor_cast<Handle>(lookup(role));
  }

  /// Announces or (with a null pointer) withdraws the actor of a role.
  void assign(std::string_view role, caf::strong_actor_ptr who);

  /// Withdraws the role if `who` still plays it.
  void withdraw(std::string_view role, const caf::strong_actor_ptr& who);

  /// Calls `changed` after each change, on the thread that made it; replaces the last watcher.
  void watch(std::function<void()> changed);

  /// Returns the names of all roles that have an actor, ordered.
  std::vector<std::string> roles() const;

private:
  caf::strong_actor_ptr lookup(std::string_view role) const;
  void tell() const;

  mutable std::mutex mutex_;
  std::map<std::string, caf::strong_actor_ptr, std::less<>> slots_;
  std::function<void()> changed_;
};

} // namespace troupe
