#include "nodes/cluster/transport_dialer.hpp"

#include "nodes/cluster/random_node_id.hpp"
#include "nodes/cluster/transport_scribe.hpp"

#include <caf/event_based_actor.hpp>
#include <caf/io/middleman.hpp>
#include <caf/send.hpp>
#include <caf/stateful_actor.hpp>

#include <algorithm>

namespace troupe {

namespace {

using dialer_pointer = dialer_self::stateful_pointer<dialer_state>;

/// Each lookup of a name has a thread while it lasts.
constexpr auto most_lookups = size_t{8};
constexpr auto greeting_limit = std::chrono::seconds{3};

caf::io::network::default_multiplexer& loop_of(caf::actor_system& sys) {
  return static_cast<caf::io::network::default_multiplexer&>(sys.middleman().backend());
}

void answer(dialer_pointer self, uint64_t id, caf::expected<caf::strong_actor_ptr> with) {
  auto found = self->state.dials.extract(id);
  if (found.empty())
    return;
  auto& promise = found.mapped().promise;
  if (with)
    promise.deliver(std::move(*with));
  else
    promise.deliver(std::move(with.error()));
}

/// The resolver may block for long, so it has a thread of its own.
void resolve_name(caf::event_based_actor* self, const std::shared_ptr<dialer_state::dial>& what,
                  uint16_t port, const caf::actor& asker, uint64_t id) {
  what->addresses = addresses_of(what->host, port, resolve::names);
  self->send(asker, caf::put_atom_v, id);
}

void look_up(dialer_pointer self, uint64_t id, uint16_t port) {
  auto& st = self->state;
  if (st.resolving >= most_lookups)
    return answer(self, id, fault(ec::saturated, "too many names are being looked up"));
  ++st.resolving;
  self->system().spawn<caf::detached + caf::hidden>(resolve_name, st.dials.at(id).what, port,
                                                    caf::actor_cast<caf::actor>(self), id);
}

void start_dial(dialer_pointer self, uint64_t id) {
  auto& st = self->state;
  auto& what = *st.dials.at(id).what;
  if (!what.addresses)
    return answer(self, id, std::move(what.addresses.error()));
  auto done = [=, &sys = self->system(), core = st.parts.core, what = st.dials.at(id).what,
               asker = caf::actor_cast<caf::actor>(self)](caf::expected<settled_peer> reached) {
    if (reached) {
      auto made = make_scribe(loop_of(sys), core, std::move(*reached), frame_guard::side::dialed);
      what->scribe = std::move(made.scribe);
      what->peer = std::move(made.peer);
    } else {
      what->scribe = std::move(reached.error());
    }
    caf::anon_send(asker, caf::ok_atom_v, id);
  };
  st.parts.door->dial(std::move(*what.addresses), what.node, std::move(done));
}

/// TLS is up; CAF greets the peer and learns what it published.
void greet_peer(dialer_pointer self, uint64_t id) {
  auto& st = self->state;
  auto what = st.dials.at(id).what;
  if (!what->scribe)
    return answer(self, id, std::move(what->scribe.error()));
  self
    ->request(st.parts.broker, greeting_limit, caf::connect_atom_v, std::move(*what->scribe),
              what->peer->port())
    .then(
      [=](const caf::node_id&, caf::strong_actor_ptr& whom, const std::set<std::string>& has) {
        const auto& wanted = self->state.parts.interface_;
        if (!whom)
          return answer(self, id, fault(ec::unavailable, what->node + " has published nothing"));
        if (!std::includes(has.begin(), has.end(), wanted.begin(), wanted.end())) {
          what->peer->cut("it speaks another protocol");
          return answer(self, id,
                        fault(ec::unsupported, what->node
                                                 + " speaks another protocol: run the "
                                                   "same version on both nodes"));
        }
        answer(self, id, std::move(whom));
      },
      [=](const caf::error& why) {
        auto ending = what->peer->ending();
        what->peer->cut("it did not greet");
        auto text = ending.empty() ? "did not greet: " + explain(why).text : ending;
        answer(self, id,
               fault_at(ending.empty() ? explain(why).code : ec::unauthorized,
                        what->node + " at " + what->host, text));
      });
}

} // namespace

dialer_self::behavior_type dialer(dialer_pointer self, dialer_parts parts) {
  self->state.parts = std::move(parts);
  self->set_default_handler(caf::drop);
  return {
    [self](caf::connect_atom, const std::string& node, const std::string& host,
           uint16_t port) -> caf::result<caf::strong_actor_ptr> {
      auto& st = self->state;
      auto id = ++st.last;
      auto what = std::make_shared<dialer_state::dial>();
      what->node = node;
      what->host = host;
      auto promise = self->make_response_promise<caf::strong_actor_ptr>();
      st.dials.emplace(id, dialer_state::waiting{what, promise});
      what->addresses = addresses_of(host, port, resolve::numbers);
      if (what->addresses)
        start_dial(self, id);
      else
        look_up(self, id, port);
      return promise;
    },
    [self](caf::close_atom, const caf::node_id& whom) {
      for (const auto& peer : self->state.parts.core->peers.with_id(id_in_frames(whom)))
        peer->cut("closed by this node");
    },
    [self](caf::put_atom, uint64_t id) {
      --self->state.resolving;
      if (self->state.dials.count(id) != 0)
        start_dial(self, id);
    },
    [self](caf::ok_atom, uint64_t id) {
      if (self->state.dials.count(id) != 0)
        greet_peer(self, id);
    },
  };
}

} // namespace troupe
