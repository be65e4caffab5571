#pragma once

#include "bridges/amqp/inbound_message.hpp"
#include "messages/protocols.hpp"

#include <caf/timespan.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <functional>
#include <span>
#include <string_view>
#include <vector>

/// The table of what can become of a message that a queue delivers. To add a kind: one file
/// with a `read` function, one row in `inbound_catalog.cpp`, its tests, its corpus for the
/// fuzz target `amqp_inbound`.
namespace troupe {

/// The bridge with what it says to itself: look into the boxes, look at the clock.
using amqp_bridge_inside =
  amqp_bridge_actor::extend<caf::reacts_to<caf::flush_atom>, caf::reacts_to<caf::tick_atom>>;
using amqp_self = amqp_bridge_inside::base*;

/// Where the bridge finds the roles: one question each, asked at each use. An empty answer
/// means that the role is absent now.
struct amqp_roles {
  std::function<journal_actor()> journal;
  std::function<job_ledger_actor()> jobs;
  std::function<objects_actor()> objects;
};

/// What became of a message that was not refused.
enum class inbound_outcome : uint8_t {
  stored,   ///< Its effect is durable.
  repeated, ///< Its effect was durable before: the id is known.
  early,    ///< It has none yet: what it speaks of is not known. It is kept for a while.
};

/// Called once, on the bridge's thread, when the effect is durable: the delivery is acked. An
/// error that is `retryable` keeps it and tries again; any other puts it into the dead letters.
using settle_inbound = std::function<void(caf::expected<inbound_outcome>)>;

/// One attempt to ask a role on behalf of a message.
struct inbound_attempt {
  amqp_self self;
  const amqp_roles& roles;
  caf::timespan limit;
  settle_inbound done;
};

/// What a handler wants to happen. Either events, which become durable together under the
/// message's id (fast: many messages share one append), or a request, or nothing at all.
struct inbound_effect {
  std::vector<event> events;
  std::function<void(const inbound_attempt&)> ask;
};

/// One row: a name that the configuration uses, and what reads a message. `read` is pure; it
/// must take any bytes. Errors: whatever is wrong with the message; it then goes to the dead
/// letters with this reason. Unknown fields of a body are ignored (spec/pipeline.md 3.5).
struct inbound_handler {
  std::string_view name;
  caf::expected<inbound_effect> (*read)(const inbound_message& message);
};

/// Returns all rows.
std::span<const inbound_handler> inbound_handlers();

/// Returns one row, null if there is none of this name.
const inbound_handler* find_inbound_handler(std::string_view name);

/// Returns an effect that sends `what` to a role and settles by `meaning` of its reply, which
/// returns an outcome or an error. `what` must carry the message's id as its request id.
template <class Reply, class Handle, class Message, class Meaning>
inbound_effect ask_role(std::function<Handle()> amqp_roles::*role, Message what, Meaning meaning) {
  auto out = inbound_effect{};
  out.ask = [role, what = std::move(what), meaning](const inbound_attempt& attempt) {
    const auto& question = attempt.roles.*role;
    auto to = question ? question() : Handle{};
    if (!to)
      return attempt.done(fault(ec::unavailable, "a role is absent"));
    attempt.self->request(to, attempt.limit, what)
      .then([done = attempt.done, meaning](const Reply& reply) { done(meaning(reply)); },
            [done = attempt.done](const caf::error& why) { done(why); });
  };
  return out;
}

// The `read` functions, one file each.
caf::expected<inbound_effect> read_event_message(const inbound_message& message);
caf::expected<inbound_effect> read_ebs_object(const inbound_message& message);
caf::expected<inbound_effect> read_ebs_task(const inbound_message& message);
caf::expected<inbound_effect> read_ebs_report(const inbound_message& message);

} // namespace troupe
