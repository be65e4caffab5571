#pragma once

#include "actors/directory.hpp"
#include "messages/protocols.hpp"
#include "nodes/cluster/cluster_options.hpp"

#include <caf/node_id.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <map>
#include <random>
#include <string>
#include <vector>

namespace troupe {

/// Opens connections to other nodes and closes them; never blocks the asker.
using dialer_actor = caf::typed_actor<
  // Connects to a node by name, host and port; answers what it published. Errors: unavailable,
  // timeout, unauthorized.
  caf::replies_to<caf::connect_atom, std::string, std::string,
                  uint16_t>::with<caf::strong_actor_ptr>,
  // Closes the connection to a node.
  caf::reacts_to<caf::close_atom, caf::node_id>>;

/// Returns the name in the directory of a role that the far node plays and this one too.
inline std::string far_role(const std::string& role) {
  return "far/" + role;
}

/// What a link knows of its own node and of the far one.
struct peer_link_options {
  std::string node;
  std::string boot;
  std::string version;
  std::vector<std::string> roles;    ///< Played here; others are taken from the far node.
  std::vector<peer_address> targets; ///< Tried in order, round and round.
  caf::timespan first_backoff = std::chrono::milliseconds{200};
  caf::timespan longest_backoff = std::chrono::seconds{5};
  caf::timespan hello_limit = std::chrono::seconds{2};
};

enum class link_state : uint8_t { down, connecting, greeting, up };

/// The link with what it says to itself: dial now, ping now.
using peer_link_self = peer_link_actor::extend<caf::reacts_to<caf::connect_atom, uint64_t>,
                                               caf::reacts_to<caf::tick_atom, uint64_t>>;

/// State of a peer link.
struct peer_link_state {
  static inline const char* name = "peer_link";

  peer_link_options options;
  directory* roles = nullptr;
  dialer_actor dialer;
  link_state state = link_state::down;
  uint64_t turn = 0; ///< Counts connections; what belongs to an older one is ignored.
  size_t target = 0; ///< Of `options.targets`.
  uint32_t failures = 0;
  gate_actor gate;
  caf::timespan lost_after{0};
  caf::timespan up_since{0};
  caf::timespan heard{0};
  std::map<std::string, caf::strong_actor_ptr> given; ///< Put into the directory by this link.
  node_status own;                                    ///< Last word of the supervisor.
  node_view view;
  bool leaving = false;
  std::minstd_rand chance;

  peer_link_state() = default;
  /// However the link ends, the handles that it gave out end with it.
  ~peer_link_state();
  peer_link_state(const peer_link_state&) = delete;
  peer_link_state& operator=(const peer_link_state&) = delete;

  /// Takes back what the far node gave.
  void withdraw_roles();
};

/// Keeps this node joined to the first target that lets it in: connects, says
/// hello, puts the far node's roles into the directory, pings, and when the link
/// breaks or falls silent withdraws them, closes it and dials again.
peer_link_self::behavior_type peer_link(peer_link_self::stateful_pointer<peer_link_state> self,
                                        directory* roles, dialer_actor dialer,
                                        peer_link_options options);

} // namespace troupe
