#include "nodes/cluster/certificate_watch.hpp"
#include "nodes/cluster/cluster_files.hpp"
#include "nodes/cluster/gate.hpp"
#include "nodes/cluster/peer_link.hpp"
#include "nodes/own_secret.hpp"
#include "nodes/role.hpp"

#include <caf/stateful_actor.hpp>

namespace troupe {

namespace {

constexpr auto version_text = "0.1.0";

peer_policy policy_of(const cluster_options& from) {
  auto out = peer_policy{};
  for (const auto& to : from.dial)
    out.peers[to.node];
  for (const auto& [name, peer] : from.peers) {
    auto& keys = out.peers[name];
    if (!peer.fingerprint.empty())
      keys.insert(peer.fingerprint);
  }
  return out;
}

/// Makes the node's connections once. Errors: those of the files; `ec::invalid_config`.
caf::error open_transport(node_context& node, const cluster_options& from) {
  if (node.connections)
    return caf::none;
  auto identity = read_identity(from, node.options.name);
  if (!identity)
    return std::move(identity.error());
  auto limits = transport_options{};
  limits.dial_time = from.handshake;
  limits.handshake_time = from.handshake;
  // Who only dials lets nobody in, and its links are its own.
  limits.join_time = from.handshake + std::chrono::seconds{2};
  limits.max_unsent = from.unsent_limit;
  limits.frames.max_frame = static_cast<uint32_t>(from.frame_limit);
  auto made = transport::make(*node.sys, std::move(*identity), policy_of(from), limits);
  if (!made)
    return std::move(made.error());
  node.connections = std::move(*made);
  return caf::none;
}

std::vector<transport_counts> counts_of(const transport_counters& from) {
  auto out = std::vector<transport_counts>{
    {"open", from.open},     {"half_open", from.half_open}, {"accepted", from.accepted},
    {"dialed", from.dialed}, {"bytes_in", from.bytes_in},   {"bytes_out", from.bytes_out},
  };
  for (auto i = size_t{0}; i < refusal_count; ++i)
    out.push_back({std::string{to_string(static_cast<refusal>(i))}, from.refused[i]});
  return out;
}

gate_options gate_options_of(const node_context& node, const cluster_options& from) {
  auto out = gate_options{};
  out.node = node.options.name;
  out.boot = node.boot;
  out.version = version_text;
  out.lost_after = from.lost_after;
  out.peers = node.peers;
  return out;
}

caf::expected<caf::strong_actor_ptr> start_gate(node_context& node, const cluster_options& from) {
  auto options = gate_options_of(node, from);
  if (!from.listen)
    return started(node.sys->spawn(gate, &node.roles, options));
  if (auto err = open_transport(node, from))
    return err;
  options.identity = [to = node.connections](const caf::node_id& id) {
    auto peer = to->peer_of(id);
    return peer ? std::optional{peer_identity{peer->node, peer->address,
                                              caf::timestamp{peer->expires.time_since_epoch()}}}
                : std::nullopt;
  };
  options.cut = [to = node.connections](const caf::node_id& id) { to->cut(id); };
  options.joined = [to = node.connections](const caf::node_id& id) { to->note_joined(id); };
  options.refused = [to = node.connections](refusal why, const peer_identity& who,
                                            const std::string& detail) {
    to->note_refused(why, who.address, who.node, detail);
  };
  options.counts = [to = node.connections] { return counts_of(to->counters()); };
  options.expires = caf::timestamp{node.connections->identity().expires().time_since_epoch()};
  gate_actor door = node.sys->spawn(gate, &node.roles, options);
  auto port = node.connections->listen(from.listen->host, from.listen->port, door);
  if (!port) {
    caf::anon_send_exit(door, caf::exit_reason::user_shutdown);
    return std::move(port.error());
  }
  auto address = from.listen->host + ':' + std::to_string(*port);
  log(log_level::info, "cluster", "listening for nodes", {{"address", address}});
  if (auto err = write_whole_file(node.options.data + "/cluster.address", address + '\n', 0644))
    return err;
  return started(door);
}

caf::expected<caf::strong_actor_ptr> start_link(node_context& node, const cluster_options& from,
                                                const std::vector<std::string>& roles) {
  if (auto err = open_transport(node, from))
    return err;
  auto options = peer_link_options{};
  options.node = node.options.name;
  options.boot = node.boot;
  options.version = version_text;
  options.roles = roles;
  options.targets = from.dial;
  options.first_backoff = from.first_backoff;
  options.longest_backoff = from.longest_backoff;
  auto dialer = node.connections->make_dialer<gate_actor>();
  return started(node.sys->spawn(peer_link, &node.roles, dialer, options));
}

caf::expected<caf::strong_actor_ptr> start_watch(node_context& node, const cluster_options& from) {
  if (auto err = open_transport(node, from))
    return err;
  auto files = std::vector{from.certificate, from.key, from.authority};
  if (!from.revoked.empty())
    files.push_back(from.revoked);
  return started(node.sys->spawn<caf::detached>(certificate_watch, node.connections, files));
}

} // namespace

void replace_peers(node_context& node, const cluster_options& fresh) {
  if (!node.peers || !node.connections)
    return;
  node.peers->replace(fresh.peers);
  node.connections->set_policy(policy_of(fresh));
  log(log_level::info, "cluster", "the cluster's list was read again",
      {{"peers", fresh.peers.size()}});
}

std::vector<supervised_role> prepare_cluster(node_context& node, section* in,
                                             const std::vector<std::string>& roles) {
  auto options = in ? read_cluster_options(*in) : cluster_options{};
  for (const auto& role : {"journal", "jobs", "artifacts", "objects"})
    if (!options.dial.empty() && std::find(roles.begin(), roles.end(), role) != roles.end())
      in->complain("dial", "a node that joins another plays no " + std::string{role}
                             + " of its own: leave it out of roles");
  node.cluster = options;
  if (in)
    node.file_checks.push_back([section = *in, options, name = node.options.name]() mutable {
      check_identity(section, options, name);
    });
  if (options.listen)
    node.peers = std::make_shared<peer_list>(options.peers);
  auto out = std::vector<supervised_role>{};
  auto add = [&](const char* role, auto start) -> supervised_role& {
    auto& row = out.emplace_back();
    row.role = role;
    row.start = std::move(start);
    return row;
  };
  if (options.dial.empty())
    add("nodes", [&node, options] { return start_gate(node, options); }).critical =
      options.listen.has_value(); // its place is bound once
  else
    add("link", [&node, options, roles] { return start_link(node, options, roles); }).drains = true;
  if (in)
    add("certificates", [&node, options] { return start_watch(node, options); });
  return out;
}

} // namespace troupe
