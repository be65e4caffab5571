#pragma once

#include "messages/codec.hpp"
#include "messages/enum_names.hpp"

#include <caf/timestamp.hpp>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

/// What the bridge to RabbitMQ says of itself, and the letters that it could not deliver.
namespace troupe {

/// Event: a message that somebody else published, as it came. Its topic is the one of
/// the queue's entry in the configuration, "external.<queue>" by default.
struct external_event {
  std::string queue; ///< It was consumed from.
  std::string exchange;
  std::string routing_key;
  std::string message_id; ///< Empty if the publisher gave none.
  std::string type;
  std::string app_id;
  caf::timestamp sent{}; ///< As its publisher says; 0 = not said.
  std::string body;      ///< JSON text.

  static constexpr auto type_name = "troupe::external_event";
  static constexpr auto fields = std::tuple{
    field{"queue", &external_event::queue},
    field{"exchange", &external_event::exchange},
    field{"routing_key", &external_event::routing_key},
    field{"message_id", &external_event::message_id},
    field{"type", &external_event::type},
    field{"app_id", &external_event::app_id},
    field{"sent", &external_event::sent},
    field{"body", &external_event::body},
  };
};

enum class amqp_state : uint8_t {
  down,       ///< No connection; `trouble` says why.
  connecting, ///< Being opened: sockets, login, topology.
  up,
  blocked, ///< Up, but the broker takes no messages (memory or disk alarm).
};
template <>
inline constexpr auto enum_names<amqp_state> =
  std::array<std::string_view, 4>{"down", "connecting", "up", "blocked"};

/// One connection to a broker.
struct amqp_link_status {
  std::string link;   ///< "consume" or "publish".
  std::string broker; ///< host:port/vhost.
  amqp_state state = amqp_state::down;
  caf::timestamp since{};   ///< Of the state.
  uint64_t connections = 0; ///< Opened since the role was started.
  uint64_t failures = 0;    ///< Attempts that failed and connections that broke.
  std::string trouble;      ///< The last one, empty while it is up.

  static constexpr auto type_name = "troupe::amqp_link_status";
  static constexpr auto fields = std::tuple{
    field{"link", &amqp_link_status::link},
    field{"broker", &amqp_link_status::broker},
    field{"state", &amqp_link_status::state},
    field{"since", &amqp_link_status::since},
    field{"connections", &amqp_link_status::connections},
    field{"failures", &amqp_link_status::failures},
    field{"trouble", &amqp_link_status::trouble},
  };
};

/// One queue that is consumed from.
struct amqp_queue_status {
  std::string queue;
  bool consuming = false;
  uint64_t unsettled = 0; ///< Deliveries that wait for the journal or a role.
  uint64_t delivered = 0;
  uint64_t settled = 0;
  uint64_t resubscribed = 0; ///< After the channel or the queue had gone.
  std::string trouble;       ///< Why it is not consumed from.

  static constexpr auto type_name = "troupe::amqp_queue_status";
  static constexpr auto fields = std::tuple{
    field{"queue", &amqp_queue_status::queue},
    field{"consuming", &amqp_queue_status::consuming},
    field{"unsettled", &amqp_queue_status::unsettled},
    field{"delivered", &amqp_queue_status::delivered},
    field{"settled", &amqp_queue_status::settled},
    field{"resubscribed", &amqp_queue_status::resubscribed},
    field{"trouble", &amqp_queue_status::trouble},
  };
};

/// A declaration that the broker refused; the rest works without it.
struct amqp_fault {
  std::string what; ///< "exchange ebs", "queue objects", "binding ...".
  std::string text; ///< The broker's words.

  static constexpr auto type_name = "troupe::amqp_fault";
  static constexpr auto fields = std::tuple{
    field{"what", &amqp_fault::what},
    field{"text", &amqp_fault::text},
  };
};

/// What came in and went out since the role was started. Only grows.
struct amqp_counters {
  uint64_t delivered = 0;    ///< Messages that came.
  uint64_t stored = 0;       ///< Of them: durable in the journal or accepted by a role.
  uint64_t repeated = 0;     ///< Of them: known already, by id.
  uint64_t own = 0;          ///< Of them: published by this journal itself.
  uint64_t poison = 0;       ///< Of them: put into a dead-letter queue.
  uint64_t retries = 0;      ///< Times that deliveries had to wait for an absent part.
  uint64_t published = 0;    ///< Messages that were sent, repeats included.
  uint64_t confirmed = 0;    ///< Of them: the broker has them.
  uint64_t returned = 0;     ///< Of them: no queue wanted them.
  uint64_t refused = 0;      ///< Of them: nacked, or for a place that refuses.
  uint64_t dropped = 0;      ///< Left out as configured for unroutable ones.
  uint64_t dead_letters = 0; ///< Messages put into dead-letter queues, of both directions.
  uint64_t skipped = 0;      ///< Events that were forgotten before they could be published.
  uint64_t blocked = 0;      ///< Times that the broker stopped taking messages.
  uint64_t deaf = 0;         ///< Channels reopened since nothing arrived that was ready.

  static constexpr auto type_name = "troupe::amqp_counters";
  static constexpr auto fields = std::tuple{
    field{"delivered", &amqp_counters::delivered},
    field{"stored", &amqp_counters::stored},
    field{"repeated", &amqp_counters::repeated},
    field{"own", &amqp_counters::own},
    field{"poison", &amqp_counters::poison},
    field{"retries", &amqp_counters::retries},
    field{"published", &amqp_counters::published},
    field{"confirmed", &amqp_counters::confirmed},
    field{"returned", &amqp_counters::returned},
    field{"refused", &amqp_counters::refused},
    field{"dropped", &amqp_counters::dropped},
    field{"dead_letters", &amqp_counters::dead_letters},
    field{"skipped", &amqp_counters::skipped},
    field{"blocked", &amqp_counters::blocked},
    field{"deaf", &amqp_counters::deaf},
  };
};

/// What one feed of the machine tracker heard since the role was started. Only grows, but `lag`.
struct pulse_counters {
  std::string feed;                         ///< Its name in the configuration.
  std::string queue;                        ///< It consumes from.
  std::map<std::string, uint64_t> messages; ///< By exchange, without its prefix.
  std::map<std::string, uint64_t> ignored;  ///< Taken and not told of, by why.
  uint64_t parse_errors = 0;                ///< Bodies that were not as the schemas say.
  uint64_t recovered = 0;                   ///< Machines found in `status.runs` only.
  uint64_t seen = 0;                        ///< Signs in the journal.
  caf::timespan lag{0}; ///< From what happened to its arrival here, of the latest message.
  uint64_t waiting = 0; ///< Messages in the queue, as of the last look.

  static constexpr auto type_name = "troupe::pulse_counters";
  static constexpr auto fields = std::tuple{
    field{"feed", &pulse_counters::feed},
    field{"queue", &pulse_counters::queue},
    field{"messages", &pulse_counters::messages},
    field{"ignored", &pulse_counters::ignored},
    field{"parse_errors", &pulse_counters::parse_errors},
    field{"recovered", &pulse_counters::recovered},
    field{"seen", &pulse_counters::seen},
    field{"lag", &pulse_counters::lag},
    field{"waiting", &pulse_counters::waiting},
  };
};

/// Reply to `status_atom`.
struct amqp_status {
  std::vector<amqp_link_status> links;
  std::vector<amqp_queue_status> queues;
  std::vector<amqp_fault> faults;
  amqp_counters counters;
  std::string cursor;                ///< Name of the outbox's cursor; empty = nothing is published.
  uint64_t published_up_to = 0;      ///< Everything up to this sequence is confirmed.
  uint64_t journal_next = 1;         ///< As far as the outbox has looked.
  uint64_t unconfirmed = 0;          ///< Messages that were sent and not answered.
  uint64_t waiting = 0;              ///< Messages that wait for a place that refused them.
  uint64_t bytes_in_flight = 0;      ///< Of deliveries that are not settled.
  std::vector<pulse_counters> feeds; ///< Of the machine tracker.

  static constexpr auto type_name = "troupe::amqp_status";
  static constexpr auto fields = std::tuple{
    field{"links", &amqp_status::links},
    field{"queues", &amqp_status::queues},
    field{"faults", &amqp_status::faults},
    field{"counters", &amqp_status::counters},
    field{"cursor", &amqp_status::cursor},
    field{"published_up_to", &amqp_status::published_up_to},
    field{"journal_next", &amqp_status::journal_next},
    field{"unconfirmed", &amqp_status::unconfirmed},
    field{"waiting", &amqp_status::waiting},
    field{"bytes_in_flight", &amqp_status::bytes_in_flight},
    field{"feeds", &amqp_status::feeds},
  };
};

/// Query: the dead-letter queues.
struct list_dead_letters {
  static constexpr auto type_name = "troupe::list_dead_letters";
  static constexpr auto fields = std::tuple{};
};

/// One dead-letter queue.
struct dead_letter_queue {
  std::string queue;
  uint64_t messages = 0;
  uint64_t consumers = 0;
  std::string trouble; ///< Why it cannot be looked at.

  static constexpr auto type_name = "troupe::dead_letter_queue";
  static constexpr auto fields = std::tuple{
    field{"queue", &dead_letter_queue::queue},
    field{"messages", &dead_letter_queue::messages},
    field{"consumers", &dead_letter_queue::consumers},
    field{"trouble", &dead_letter_queue::trouble},
  };
};

/// Reply to `list_dead_letters`, ordered by name.
struct dead_letter_queues {
  std::vector<dead_letter_queue> queues;

  static constexpr auto type_name = "troupe::dead_letter_queues";
  static constexpr auto fields = std::tuple{field{"queues", &dead_letter_queues::queues}};
};

/// Query: the oldest letters of a dead-letter queue; they stay there.
struct peek_dead_letters {
  std::string queue; ///< Empty = the only one.
  uint32_t max = 10; ///< 1..100.

  static constexpr auto type_name = "troupe::peek_dead_letters";
  static constexpr auto fields = std::tuple{
    field{"queue", &peek_dead_letters::queue},
    field{"max", &peek_dead_letters::max},
  };
};

/// A message that could not be taken in or delivered, with the reason.
struct dead_letter {
  std::string reason; ///< Name of an error code: "invalid_argument", "too_large", "conflict", ...
  std::string text;   ///< For people.
  std::string queue;  ///< It was consumed from; empty = it was on its way out.
  std::string exchange;
  std::string routing_key;
  std::string message_id;
  caf::timestamp died{};
  uint64_t size = 0; ///< Bytes of the whole body.
  std::string body;  ///< At most its first 64 KiB.

  static constexpr auto type_name = "troupe::dead_letter";
  static constexpr auto fields = std::tuple{
    field{"reason", &dead_letter::reason},
    field{"text", &dead_letter::text},
    field{"queue", &dead_letter::queue},
    field{"exchange", &dead_letter::exchange},
    field{"routing_key", &dead_letter::routing_key},
    field{"message_id", &dead_letter::message_id},
    field{"died", &dead_letter::died},
    field{"size", &dead_letter::size},
    field{"body", &dead_letter::body},
  };
};

/// Reply to `peek_dead_letters`, oldest first.
struct dead_letter_list {
  std::string queue;
  std::vector<dead_letter> letters;

  static constexpr auto type_name = "troupe::dead_letter_list";
  static constexpr auto fields = std::tuple{
    field{"queue", &dead_letter_list::queue},
    field{"letters", &dead_letter_list::letters},
  };
};

/// Command: send letters to where they were bound, oldest first.
struct replay_dead_letters {
  std::string queue; ///< Empty = the only one.
  uint32_t max = 0;  ///< 0 = all that are there now.

  static constexpr auto type_name = "troupe::replay_dead_letters";
  static constexpr auto fields = std::tuple{
    field{"queue", &replay_dead_letters::queue, {.pattern = "line", .max_size = 255}},
    field{"max", &replay_dead_letters::max, {.doc = "0 = all that are there now", .min = 0}},
  };
};

/// Command: throw all letters of a queue away.
struct purge_dead_letters {
  std::string queue; ///< Empty = the only one.

  static constexpr auto type_name = "troupe::purge_dead_letters";
  static constexpr auto fields = std::tuple{
    field{"queue", &purge_dead_letters::queue, {.pattern = "line", .max_size = 255}},
  };
};

/// Reply to `replay_dead_letters` and `purge_dead_letters`.
struct dead_letters_moved {
  std::string queue;
  uint64_t moved = 0;  ///< Replayed or thrown away.
  uint64_t stayed = 0; ///< Could not be replayed: no queue wanted them.

  static constexpr auto type_name = "troupe::dead_letters_moved";
  static constexpr auto fields = std::tuple{
    field{"queue", &dead_letters_moved::queue},
    field{"moved", &dead_letters_moved::moved},
    field{"stayed", &dead_letters_moved::stayed},
  };
};

} // namespace troupe
