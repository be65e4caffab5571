#include "bridges/amqp/inbound_handler.hpp"
#include "messages/json.hpp"

namespace troupe {

/// Any JSON becomes an event of the queue's topic, as it is.
caf::expected<inbound_effect> read_event_message(const inbound_message& message) {
  if (auto why = check_json_text(message.body))
    return why;
  auto what =
    external_event{message.queue, message.exchange, message.routing_key, message.message_id,
                   message.type,  message.app_id,   message.sent,        message.body};
  auto time = message.sent == caf::timestamp{} ? now() : message.sent;
  auto out = inbound_effect{};
  out.events.push_back({message.topic, time, pack(what)});
  return out;
}

} // namespace troupe
