#pragma once

#include "bridges/amqp/outbound_rule.hpp"
#include "bridges/amqp/session.hpp"

namespace troupe {

/// Sends one message, persistent and mandatory. Errors: the connection has ended.
caf::error publish_message(session& at, uint16_t channel, const publication& what);

} // namespace troupe
