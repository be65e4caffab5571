#pragma once

#include "actors/directory.hpp"
#include "messages/protocols.hpp"
#include "nodes/cluster/cluster_options.hpp"
#include "nodes/cluster/refusal.hpp"

#include <caf/node_id.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe {

/// Who is at the other end of a connection, by its certificate.
struct peer_identity {
  std::string node;
  std::string address;
  caf::timestamp expires{};
};

/// What the gate needs from its node; the functions are absent where nothing listens.
struct gate_options {
  std::string node;
  std::string boot;
  std::string version;
  caf::timespan lost_after = std::chrono::seconds{3};
  std::shared_ptr<peer_list> peers; ///< Null where nothing listens.
  std::function<std::optional<peer_identity>(const caf::node_id&)> identity;
  std::function<void(const caf::node_id&)> cut;
  std::function<void(const caf::node_id&)> joined;
  std::function<void(refusal, const peer_identity&, const std::string& why)> refused;
  std::function<std::vector<transport_counts>()> counts;
  caf::timestamp expires{}; ///< Of this node's certificate.
};

/// The roles whose handles the gate hands out.
inline constexpr auto shared_roles = std::array<std::string_view, 9>{
  "journal", "jobs", "history", "artifacts", "statistics", "nodes", "objects", "machines", "amqp"};

/// The gate with what it says to itself: look at the clock, the directory changed, a
/// node that was refused has had the time to read why.
using gate_self =
  gate_actor::extend<caf::reacts_to<caf::tick_atom>, caf::reacts_to<caf::update_atom>,
                     caf::reacts_to<caf::close_atom, caf::node_id>>;

/// State of the gate.
struct gate_state {
  static inline const char* name = "gate";

  struct member {
    node_view view;
    std::vector<std::string> roles; ///< Of its hello.
    caf::strong_actor_ptr link;     ///< Null unless it is up.
    std::map<std::string, caf::strong_actor_ptr, std::less<>> told;
    caf::timespan heard{0}; ///< On the actor's clock.
  };

  gate_options options;
  directory* roles = nullptr;
  std::map<std::string, member> members; ///< By name: those of the cluster's list that ever came.
  node_view own;
  bool ticking = false;
};

/// Lets nodes in whose certificate, name, protocol and roles fit, hands them the
/// handles of this node's roles, and ends links that fall silent.
gate_self::behavior_type gate(gate_self::stateful_pointer<gate_state> self, directory* roles,
                              gate_options options);

} // namespace troupe
