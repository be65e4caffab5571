#pragma once

#include "bridges/amqp/options.hpp"

#include <caf/event_based_actor.hpp>

namespace troupe {

/// Answers one question about dead letters over a connection of its own, then ends. It blocks:
/// spawn it detached. Errors: not_found (no such dead-letter queue), unavailable, timeout.
caf::behavior dead_letter_clerk(caf::event_based_actor* self, amqp_options options);

} // namespace troupe
