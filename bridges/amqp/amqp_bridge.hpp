#pragma once

#include "bridges/amqp/inbound_desk.hpp"
#include "bridges/amqp/outbound_pump.hpp"

#include <memory>
#include <optional>

namespace troupe {

/// State of the bridge: two connections, one that consumes and one that publishes, since a
/// broker in need reads nothing more from those that publish, acknowledgements included.
struct amqp_bridge_state {
  static inline const char* name = "amqp";

  amqp_options options;
  amqp_roles roles;
  amqp_counters counts;
  std::vector<pulse_counters> feeds;
  std::shared_ptr<consume_duty> consuming;
  std::shared_ptr<publish_duty> publishing;
  std::unique_ptr<link> consume;
  std::unique_ptr<link> publish;
  std::optional<inbound_desk> desk;
  std::optional<outbound_pump> pump;
  caf::timespan drain_until{0};
  caf::typed_response_promise<uint32_t> drained;
  bool draining = false;

  ~amqp_bridge_state();
};

/// Spawns as the role "amqp". Spawn it detached: it reads and writes much JSON.
amqp_bridge_inside::behavior_type
amqp_bridge(amqp_bridge_inside::stateful_pointer<amqp_bridge_state> self, amqp_roles roles,
            amqp_options options);

} // namespace troupe
