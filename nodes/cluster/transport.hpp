#pragma once

#include "nodes/cluster/random_node_id.hpp"
#include "nodes/cluster/transport_dialer.hpp"

#include <caf/actor_system_config.hpp>

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace troupe {

/// Prepares a configuration for nodes that speak with others: CAF's network, and
/// a random node id. To be called before the actor system exists.
void load_cluster_network(caf::actor_system_config& config);

/// Who is at the other end of a connection, by its certificate.
struct connected_peer {
  std::string node;
  std::string address;
  std::string fingerprint;
  std::chrono::system_clock::time_point expires;
};

/// The connections of this node to others: mutual TLS 1.3, names checked against
/// the cluster's list, frames guarded (docs/adr/0008-cluster-transport.md).
///
/// To be destroyed before the actor system. Threads: any.
class transport {
public:
  /// `options.frames.types` empty: all types of Troupe's protocols.
  /// Errors: `ec::unavailable` if the system has no network.
  static caf::expected<std::shared_ptr<transport>> make(caf::actor_system& sys,
                                                        std::shared_ptr<tls_context> identity,
                                                        peer_policy policy,
                                                        transport_options options = {});
  ~transport();
  transport(const transport&) = delete;
  transport& operator=(const transport&) = delete;

  /// Accepts nodes at an address (port 0: any) and gives them `gate`; returns the
  /// port. Errors: `ec::invalid_argument`, `ec::unavailable`.
  template <class Gate>
  caf::expected<uint16_t> listen(const std::string& host, uint16_t port, const Gate& gate) {
    return listen(host, port, caf::actor_cast<caf::strong_actor_ptr>(gate),
                  sys_.message_types(gate));
  }

  /// Returns an actor that connects to nodes that publish a `Gate`.
  template <class Gate>
  dialer_actor make_dialer() {
    return make_dialer(sys_.message_types(caf::detail::type_list<Gate>{}));
  }

  /// Returns who the node with this id is; nothing if it is not connected.
  std::optional<connected_peer> peer_of(const caf::node_id& id) const;

  /// The node with this id has joined: its connections need not do so any more.
  void note_joined(const caf::node_id& id) {
    core_->peers.join(id_in_frames(id));
  }

  /// Counts and logs why a peer may not join.
  void note_refused(refusal why, const std::string& address, const std::string& name,
                    const std::string& detail) {
    core_->refusals.note(why, address, name, detail);
  }

  /// Ends all connections to a node.
  void cut(const caf::node_id& id);

  /// Reads the identity's files again, then ends connections to peers that would
  /// be refused now. On failure all stays as it was. Errors: as `tls_context::reload`.
  caf::error reload();

  /// Replaces the cluster's list, then ends connections to peers that are not on it.
  void set_policy(peer_policy policy);

  const transport_counters& counters() const {
    return core_->counters;
  }
  const tls_context& identity() const {
    return *core_->tls;
  }

private:
  transport(caf::actor_system& sys, transport_core_ptr core);

  caf::expected<uint16_t> listen(const std::string& host, uint16_t port, caf::strong_actor_ptr gate,
                                 std::set<std::string> types);
  dialer_actor make_dialer(std::set<std::string> types);
  void cut_refused();

  caf::actor_system& sys_;
  transport_core_ptr core_;
  caf::actor broker_;
  std::shared_ptr<transport_door> door_;
  std::vector<dialer_actor> dialers_;
};

} // namespace troupe
