#pragma once

#include "bridges/amqp/consume_duty.hpp"
#include "bridges/amqp/inbound_handler.hpp"
#include "bridges/amqp/outbound_rule.hpp"
#include "bridges/amqp/pulse_feed.hpp"
#include "bridges/amqp/publish_duty.hpp"

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace troupe {

/// One queue that is consumed from.
struct consumed_queue {
  std::string queue;
  /// Pattern of routing keys -> row of the table; the one with most words that are no
  /// wildcards wins.
  std::vector<std::pair<std::string, const inbound_handler*>> handlers;
  std::string topic; ///< For events that are made of messages as they are.
  uint16_t prefetch = 1000;
  uint64_t max_body = 1 << 20;
  std::string dead_letters; ///< Queue for what cannot be taken in.
  /// Its messages tell of machines. There is no place for dead letters at a broker of others:
  /// what cannot be read is told in the log.
  std::shared_ptr<const pulse_feed> feed;
};

/// What happens to messages that no queue wants or whose place refuses.
enum class unroutable : uint8_t {
  dead_letter, ///< Tried again for `retry_for`, then put into the dead letters.
  drop,        ///< Left out and counted, at once.
};
template <>
inline constexpr auto enum_names<unroutable> =
  std::array<std::string_view, 2>{"dead_letter", "drop"};

/// Which events are published, and where.
struct published_events {
  std::vector<std::string> topics; ///< Prefixes: "job." or a whole topic.
  const outbound_rule* rule = nullptr;
  std::string exchange;
  std::string routing_key;
  unroutable otherwise = unroutable::dead_letter;
};

enum class outbox_start : uint8_t { beginning, now };
template <>
inline constexpr auto enum_names<outbox_start> =
  std::array<std::string_view, 2>{"beginning", "now"};

/// Everything the bridge can be told.
struct amqp_options {
  std::string consumer = "amqp"; ///< Name of the outbox's cursor.
  link_options link;
  topology plan;
  std::vector<consumed_queue> consume;
  consume_options consuming;
  std::vector<published_events> publish;
  publish_options publishing;
  outbox_start publish_from = outbox_start::beginning;
  caf::timespan retry_for{std::chrono::seconds{30}}; ///< For messages that found no place.
  std::string dead_letters = "troupe.dead";
  std::string dead_letters_type = "classic";
  caf::timespan request_limit{std::chrono::seconds{5}}; ///< For the journal and the roles.
  caf::timespan drain_limit{std::chrono::seconds{5}};
  caf::timespan replay_for{std::chrono::seconds{3}}; ///< Of dead letters, in one call.
  /// For reports that overtake what they speak of; 0 where nothing could come after them.
  caf::timespan early_for{0};

  /// Names of all dead-letter queues, ordered.
  std::vector<std::string> dead_letter_queues() const;
};

/// Reads `roles.amqp`; complains of what does not fit together.
amqp_options read_amqp_options(section& in, const std::string& node);

/// Reads `roles.amqp.pulse`: adds the feeds with their queues, exchanges and bindings.
void read_pulse_feeds(section in, amqp_options& out);

/// Whether a routing key matches the pattern of a topic exchange: "*" is one word, "#" any
/// number of them. Source: AMQP 0-9-1, 3.1.3.3.
bool key_matches(std::string_view pattern, std::string_view key);

} // namespace troupe
