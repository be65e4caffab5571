#pragma once

#include "messages/event.hpp"

#include <caf/expected.hpp>

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// The table of how an event of the journal becomes messages. To add a rule: one file with a
/// `make` function, one row in `outbound_catalog.cpp`, its tests.
namespace troupe {

/// One message on its way out. Left empty, `message_id` becomes `outbound_id` of its place and
/// `time` the event's. Always mandatory, persistent, from app_id "troupe/<journal id>".
struct publication {
  std::string exchange;
  std::string routing_key;
  std::string body;
  std::string type; ///< Property of the message, e.g. "OBJECT_CREATED"; may be empty.
  std::string content_type = "application/json";
  std::string content_encoding;
  std::string correlation_id;
  std::string reply_to;
  std::string message_id;
  std::string app_id; ///< Filled by the bridge.
  caf::timestamp time{};
  std::vector<std::pair<std::string, std::string>> headers;
  std::string kept_headers; ///< Encoded AMQP table that `headers` are added to; may be empty.
};

/// What a rule knows beside the event.
struct outbound_place {
  std::string journal;     ///< Its id.
  std::string exchange;    ///< As configured; empty = the rule's own choice.
  std::string routing_key; ///< As configured; empty = the rule's own choice.
  size_t made = 0; ///< Messages of the event that rules before this one have made.
};

/// Returns the stable id of the n-th message that is made of an event: consumers drop
/// repeats by it. Use it as `event_id` in bodies.
std::string outbound_id(const outbound_place& place, const stored_event& what, size_t n = 0);

/// One row: a name that the configuration uses, and what makes the messages. `make` is pure;
/// no messages = the event is not for this rule. Errors: the event is left out and counted.
struct outbound_rule {
  std::string_view name;
  caf::expected<std::vector<publication>> (*make)(const stored_event& what,
                                                  const outbound_place& place);
};

/// Returns all rows.
std::span<const outbound_rule> outbound_rules();

/// Returns one row, null if there is none of this name.
const outbound_rule* find_outbound_rule(std::string_view name);

// The `make` functions, one file each.
caf::expected<std::vector<publication>> make_ebs_messages(const stored_event& what,
                                                          const outbound_place& place);
caf::expected<std::vector<publication>> make_record_message(const stored_event& what,
                                                            const outbound_place& place);

} // namespace troupe
