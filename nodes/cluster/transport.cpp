#include "nodes/cluster/transport.hpp"

#include "nodes/cluster/random_node_id.hpp"
#include "nodes/cluster/transport_scribe.hpp"
#include "nodes/cluster/wire_types.hpp"

#include <caf/actor_registry.hpp>
#include <caf/io/basp_broker.hpp>
#include <caf/io/middleman.hpp>
#include <caf/send.hpp>

#include <csignal>

namespace troupe {

namespace {

/// OpenSSL writes with plain `write`: without this a peer that hangs up ends the process.
void ignore_broken_pipes() {
  struct sigaction now {};
  if (sigaction(SIGPIPE, nullptr, &now) == 0 && now.sa_handler == SIG_DFL)
    std::signal(SIGPIPE, SIG_IGN);
}

} // namespace

void load_cluster_network(caf::actor_system_config& config) {
  config.load<caf::io::middleman>();
  config.load<random_node_id>();
  config.set("middleman.workers", size_t{0});
  config.set("middleman.enable-automatic-connections", false);
}

caf::expected<std::shared_ptr<transport>> transport::make(caf::actor_system& sys,
                                                          std::shared_ptr<tls_context> identity,
                                                          peer_policy policy,
                                                          transport_options options) {
  if (!sys.has_middleman())
    return fault(ec::unavailable, "the actor system has no network");
  if (options.frames.types.empty())
    options.frames.types = wire_types();
  if (options.frames.orders.empty())
    options.frames.orders = wire_orders();
  ignore_broken_pipes();
  // Peers have no business with CAF's own actors: one spawns others, one knows the configuration.
  for (auto name : {caf::atom("SpawnServ"), caf::atom("ConfigServ")})
    sys.registry().erase(name);
  auto core =
    std::make_shared<transport_core>(std::move(identity), std::move(policy), std::move(options));
  core->own_id = id_in_frames(sys.node());
  return std::shared_ptr<transport>{new transport{sys, std::move(core)}};
}

transport::transport(caf::actor_system& sys, transport_core_ptr core)
  : sys_{sys}, core_{std::move(core)}, broker_{sys.middleman().named_broker<caf::io::basp_broker>(
                                         caf::atom("BASP"))},
    door_{std::make_shared<transport_door>(core_)} {}

transport::~transport() {
  for (auto& x : dialers_)
    caf::anon_send_exit(x, caf::exit_reason::user_shutdown);
  door_->close();
  for (const auto& peer : core_->peers.all())
    peer->cut("this node stops");
}

caf::expected<uint16_t> transport::listen(const std::string& host, uint16_t port,
                                          caf::strong_actor_ptr gate, std::set<std::string> types) {
  auto at = addresses_of(host, port, resolve::names);
  if (!at)
    return std::move(at.error());
  auto& loop = static_cast<caf::io::network::default_multiplexer&>(sys_.middleman().backend());
  // CAF keeps what is published by port; it never opens this one itself.
  auto shown = std::make_shared<std::atomic<uint16_t>>(port);
  auto let_in = [&loop, core = core_, broker = broker_, gate = std::move(gate),
                 types = std::move(types), shown](settled_peer peer) {
    auto made = make_scribe(loop, core, std::move(peer), frame_guard::side::accepted);
    caf::anon_send(broker, caf::publish_atom_v, std::move(made.scribe), shown->load(), gate, types);
  };
  auto bound = door_->listen(at->front(), std::move(let_in));
  if (bound)
    *shown = *bound;
  return bound;
}

dialer_actor transport::make_dialer(std::set<std::string> types) {
  auto parts = dialer_parts{core_, door_, broker_, std::move(types)};
  dialers_.push_back(sys_.spawn<caf::hidden>(dialer, std::move(parts)));
  return dialers_.back();
}

std::optional<connected_peer> transport::peer_of(const caf::node_id& id) const {
  auto found = core_->peers.with_id(id_in_frames(id));
  if (found.empty())
    return std::nullopt;
  const auto& peer = *found.front();
  const auto& facts = peer.certificate();
  return connected_peer{
    peer.name(), peer.address(), facts.fingerprint,
    std::chrono::system_clock::time_point{std::chrono::seconds{facts.not_after}}};
}

void transport::cut(const caf::node_id& id) {
  for (const auto& peer : core_->peers.with_id(id_in_frames(id)))
    peer->cut("closed by this node");
}

caf::error transport::reload() {
  if (auto err = core_->tls->reload())
    return err;
  cut_refused();
  return caf::none;
}

void transport::set_policy(peer_policy policy) {
  core_->set_policy(std::move(policy));
  cut_refused();
}

void transport::cut_refused() {
  auto policy = core_->policy();
  auto material = core_->tls->current();
  for (const auto& peer : core_->peers.all()) {
    auto why = judge(*policy, material->revoked, peer->certificate(), {});
    if (!why)
      why = judge(*material, peer->chain());
    if (!why)
      continue;
    core_->refusals.note(*why, peer->address(), peer->name(), "while connected");
    peer->cut(std::string{in_words(*why)});
  }
}

} // namespace troupe
