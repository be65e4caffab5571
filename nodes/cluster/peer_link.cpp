#include "nodes/cluster/peer_link.hpp"

#include "config/log.hpp"
#include "messages/time.hpp"
#include "nodes/cluster/gate.hpp"

#include <caf/stateful_actor.hpp>

#include <algorithm>

namespace troupe {

namespace {

using link_pointer = peer_link_self::stateful_pointer<peer_link_state>;

/// A link that was up this long starts again with the first backoff.
constexpr auto proven_after = caf::timespan{std::chrono::seconds{60}};

caf::timespan clock_of(link_pointer self) {
  return std::chrono::duration_cast<caf::timespan>(self->clock().now().time_since_epoch());
}

const peer_address& target_of(const peer_link_state& st) {
  return st.options.targets[st.target];
}

/// Doubles up to the longest; half of it is chance, so that nodes do not return in step.
caf::timespan next_backoff(peer_link_state& st) {
  auto shift = std::min(st.failures++, 20u);
  auto whole =
    std::min(st.options.first_backoff * (int64_t{1} << shift), st.options.longest_backoff);
  auto half = whole.count() / 2;
  return caf::timespan{half + std::uniform_int_distribution<int64_t>{0, half}(st.chance)};
}

void dial_later(link_pointer self) {
  auto& st = self->state;
  if (!st.leaving)
    self->delayed_send(self, next_backoff(st), caf::connect_atom_v, ++st.turn);
}

/// Ends what there is of the connection and tries the next target.
void fall(link_pointer self, const std::string& why) {
  auto& st = self->state;
  auto was_up = st.state == link_state::up;
  if (was_up || why != st.view.trouble) // a trouble that lasts is told once
    log(log_level::warning, "peer_link", was_up ? "link is down" : "node cannot be joined",
        {{"node", target_of(st).node}, {"why", why}});
  st.state = link_state::down;
  st.withdraw_roles();
  if (auto gate = std::exchange(st.gate, nullptr)) {
    self->demonitor(gate.address());
    self->send(st.dialer, caf::close_atom_v, gate.node());
  }
  if (was_up) {
    st.view.state = st.leaving ? node_state::left : node_state::lost;
    st.view.since = now();
    if (clock_of(self) - st.up_since > proven_after)
      st.failures = 0;
  }
  st.view.trouble = why;
  st.target = (st.target + 1) % st.options.targets.size();
  dial_later(self);
}

void ping(link_pointer self, uint64_t turn) {
  auto& st = self->state;
  if (turn != st.turn || st.state != link_state::up)
    return;
  if (auto silent = clock_of(self) - st.heard; silent > st.lost_after)
    return fall(self, "silent for " + to_short_text(silent));
  if (auto supervisor = st.roles->find<supervisor_actor>("supervisor"))
    self->request(supervisor, st.lost_after, status_atom_v)
      .then([self](node_status& own) { self->state.own = std::move(own); }, [](caf::error&) {});
  self->request(st.gate, st.lost_after, node_ping{st.own})
    .then(
      [=](const std::string&) {
        if (turn == self->state.turn) {
          self->state.heard = clock_of(self);
          self->state.view.seen_at = now();
        }
      },
      [=](const caf::error& why) {
        // The gate was started again and does not know this node, or it is silent.
        if (turn == self->state.turn && self->state.state == link_state::up
            && explain(why).code == ec::not_found)
          fall(self, one_line(why));
      });
  self->delayed_send(self, st.lost_after / 3, caf::tick_atom_v, turn);
}

void welcomed(link_pointer self, const node_welcome& by) {
  auto& st = self->state;
  st.state = link_state::up;
  st.lost_after = std::clamp<caf::timespan>(by.lost_after, std::chrono::milliseconds{300},
                                            std::chrono::seconds{60});
  st.up_since = st.heard = clock_of(self);
  auto joins = st.view.joins + 1;
  st.view = node_view{};
  st.view.node = by.node;
  st.view.boot = by.boot;
  st.view.version = by.version;
  st.view.protocol = by.protocol;
  st.view.since = st.view.seen_at = now();
  st.view.address = target_of(st).host + ':' + std::to_string(target_of(st).port);
  st.view.joins = joins;
  log(log_level::info, "peer_link", "joined",
      {{"node", by.node}, {"address", st.view.address}, {"version", by.version}});
  ping(self, st.turn);
}

void greet_gate(link_pointer self, const caf::strong_actor_ptr& who) {
  auto& st = self->state;
  st.state = link_state::greeting;
  st.gate = caf::actor_cast<gate_actor>(who);
  self->monitor(st.gate);
  const auto& own = st.options;
  auto turn = st.turn;
  self
    ->request(st.gate, own.hello_limit,
              node_hello{protocol_oldest, protocol_now, own.node, own.boot, own.version, own.roles})
    .then(
      [=](const node_welcome& by) {
        if (turn == self->state.turn && self->state.state == link_state::greeting)
          welcomed(self, by);
      },
      [=](const caf::error& why) {
        if (turn == self->state.turn && self->state.state == link_state::greeting)
          fall(self, one_line(why));
      });
}

void dial(link_pointer self, uint64_t turn) {
  auto& st = self->state;
  if (turn != st.turn || st.leaving)
    return;
  st.state = link_state::connecting;
  const auto& to = target_of(st);
  self->request(st.dialer, std::chrono::seconds{70}, caf::connect_atom_v, to.node, to.host, to.port)
    .then(
      [=](const caf::strong_actor_ptr& who) {
        if (turn == self->state.turn && !self->state.leaving)
          greet_gate(self, who);
        else if (who)
          self->send(self->state.dialer, caf::close_atom_v, who->node());
      },
      [=](const caf::error& why) {
        if (turn == self->state.turn)
          fall(self, one_line(why));
      });
}

/// Puts a role of the far node into the directory; if it is played here too, under
/// another name. What nodes do not share, such as the supervisor, is nobody else's to set.
void take_role(link_pointer self, std::string role, const caf::strong_actor_ptr& actor) {
  auto& st = self->state;
  auto from = self->current_sender();
  if (!from || !st.gate || from->node() != st.gate.node()
      || std::find(shared_roles.begin(), shared_roles.end(), role) == shared_roles.end())
    return;
  const auto& own = st.options.roles;
  if (std::find(own.begin(), own.end(), role) != own.end())
    role = far_role(role);
  if (auto old = st.given.find(role); old != st.given.end()) {
    st.roles->withdraw(role, old->second);
    st.given.erase(old);
  }
  if (!actor || actor->node() != st.gate.node())
    return;
  st.given.emplace(role, actor);
  st.roles->assign(role, actor);
}

uint32_t leave(link_pointer self) {
  auto& st = self->state;
  st.leaving = true;
  if (st.state == link_state::up)
    self->send(st.gate, caf::leave_atom_v, st.options.boot);
  return 0;
}

} // namespace

peer_link_state::~peer_link_state() {
  withdraw_roles();
}

void peer_link_state::withdraw_roles() {
  for (const auto& [role, actor] : std::exchange(given, {}))
    roles->withdraw(role, actor);
}

peer_link_self::behavior_type peer_link(link_pointer self, directory* roles, dialer_actor dialer,
                                        peer_link_options options) {
  auto& st = self->state;
  st.options = std::move(options);
  st.roles = roles;
  st.dialer = std::move(dialer);
  st.chance.seed(
    static_cast<uint32_t>(std::hash<std::string>{}(st.options.node + st.options.boot)));
  st.view.node = st.options.targets.front().node;
  st.view.state = node_state::lost;
  st.own.node = st.options.node;
  st.own.boot = st.options.boot;
  st.own.version = st.options.version;
  self->set_default_handler(caf::drop);
  self->set_down_handler([self](const caf::down_msg& message) {
    if (self->state.gate && self->state.gate.address() == message.source)
      fall(self, "the connection broke");
  });
  self->send(self, caf::connect_atom_v, ++st.turn);
  return {
    [self](role_atom, std::string& role, const caf::strong_actor_ptr& actor) {
      take_role(self, std::move(role), actor);
    },
    [self](status_atom) { return self->state.view; },
    [self](drain_atom) { return leave(self); },
    [self](caf::connect_atom, uint64_t turn) { dial(self, turn); },
    [self](caf::tick_atom, uint64_t turn) { ping(self, turn); },
  };
}

} // namespace troupe
