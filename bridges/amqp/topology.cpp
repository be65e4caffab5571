#include "bridges/amqp/topology.hpp"

#include "bridges/amqp/table.hpp"

#include <algorithm>

namespace troupe {

namespace {

/// Calls the broker; a refusal becomes a fault, and the channel is open again afterwards.
template <class F>
caf::error attempt(session& at, uint16_t channel, std::string what, std::vector<amqp_fault>& faults,
                   F call) {
  auto why = at.call(channel, call);
  if (!why)
    return {};
  if (!at.alive())
    return why;
  faults.push_back({std::move(what), explain(why).text});
  return at.open_channel(channel);
}

caf::error declare_exchange(session& at, uint16_t channel, const exchange_plan& what,
                            std::vector<amqp_fault>& faults) {
  // Every broker has these, and refuses to hear of them.
  if (what.declare == declaring::no || what.name.empty() || what.name.starts_with("amq."))
    return {};
  auto table = table_builder{what.arguments};
  return attempt(at, channel, "exchange " + what.name, faults, [&](amqp_connection_state_t to) {
    amqp_exchange_declare(to, channel, bytes_of(what.name), bytes_of(what.type),
                          what.declare == declaring::passive, what.durable, what.auto_delete,
                          what.internal, table.get());
  });
}

} // namespace

const queue_plan* topology::find_queue(std::string_view name) const {
  auto i =
    std::find_if(queues.begin(), queues.end(), [&](const queue_plan& x) { return x.name == name; });
  return i == queues.end() ? nullptr : &*i;
}

caf::error declare_queue(session& at, uint16_t channel, const queue_plan& what,
                         std::vector<amqp_fault>& faults) {
  auto before = faults.size();
  if (what.declare != declaring::no) {
    auto arguments = what.arguments;
    if (!what.type.empty() && what.type != "classic")
      arguments.emplace("x-queue-type", what.type);
    auto table = table_builder{arguments};
    auto why = attempt(at, channel, "queue " + what.name, faults, [&](amqp_connection_state_t to) {
      amqp_queue_declare(to, channel, bytes_of(what.name), what.declare == declaring::passive,
                         what.durable, what.exclusive, what.auto_delete, table.get());
    });
    if (why)
      return why;
  }
  // A queue that is there with other properties can be bound and consumed all the same, but it
  // is not what was asked for: it is left alone.
  if (faults.size() != before)
    return {};
  for (const auto& x : what.bindings) {
    auto name = "binding of " + what.name + " to " + x.exchange + " by " + x.key;
    auto why = attempt(at, channel, name, faults, [&](amqp_connection_state_t to) {
      amqp_queue_bind(to, channel, bytes_of(what.name), bytes_of(x.exchange), bytes_of(x.key),
                      amqp_empty_table);
    });
    if (why)
      return why;
  }
  return {};
}

caf::error declare_all(session& at, uint16_t channel, const topology& what,
                       std::vector<amqp_fault>& faults) {
  for (const auto& x : what.exchanges)
    if (auto why = declare_exchange(at, channel, x, faults))
      return why;
  for (const auto& x : what.queues)
    if (auto why = declare_queue(at, channel, x, faults))
      return why;
  return {};
}

} // namespace troupe
