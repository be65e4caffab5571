#pragma once

#include "messages/protocols.hpp"

#include <caf/actor_system.hpp>

#include <cstddef>

namespace troupe {
class directory;
}

namespace troupe::bench {

/// Makes `count` objects, 1024 of them outstanding; returns when all are durable.
/// Throws if one is refused.
void create_all(caf::actor_system& sys, const objects_actor& objects, size_t count);

/// Waits until no task is left and every one of `tasks` is counted by each projection of the
/// pipeline that the node plays. Throws after ten minutes.
void await_counted(caf::actor_system& sys, const directory& roles, uint64_t tasks);

} // namespace troupe::bench
