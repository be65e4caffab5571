#include "nodes/cluster/gate.hpp"

#include "config/log.hpp"
#include "messages/text_rule.hpp"
#include "messages/time.hpp"

#include <caf/stateful_actor.hpp>

#include <algorithm>

namespace troupe {

namespace {

using gate_pointer = gate_self::stateful_pointer<gate_state>;
using member = gate_state::member;

/// What a node may say of itself: it is kept, logged and shown.
constexpr auto most_roles = size_t{128};
constexpr auto longest_text = size_t{1024};
constexpr auto refusal_read_within = std::chrono::seconds{1};

caf::timespan clock_of(gate_pointer self) {
  return std::chrono::duration_cast<caf::timespan>(self->clock().now().time_since_epoch());
}

std::string versions(uint32_t oldest, uint32_t newest) {
  return oldest == newest ? std::to_string(newest)
                          : std::to_string(oldest) + " to " + std::to_string(newest);
}

/// Says which side is too old. Errors: `ec::unsupported`.
caf::error check_protocol(const gate_options& own, const node_hello& hello) {
  if (hello.protocol_oldest <= protocol_now && hello.protocol >= protocol_oldest)
    return caf::none;
  auto& older = hello.protocol < protocol_oldest ? hello.node : own.node;
  return fault_at(ec::unsupported, "protocol",
                  "node " + hello.node + " (version " + hello.version + ") speaks "
                    + versions(hello.protocol_oldest, hello.protocol) + ", node " + own.node
                    + " (version " + own.version + ") speaks "
                    + versions(protocol_oldest, protocol_now) + ": upgrade " + older);
}

caf::error check_name(const gate_options& own, const node_hello& hello,
                      const std::optional<peer_identity>& who) {
  if (!who)
    return fault_at(ec::forbidden, "node", "the connection has no identity");
  if (who->node != hello.node)
    return fault_at(ec::forbidden, "node",
                    "it calls itself '" + hello.node.substr(0, longest_text)
                      + "', its certificate says '" + who->node + "'");
  if (hello.node == own.node)
    return fault_at(ec::conflict, "node", "'" + hello.node + "' is the name of this node");
  return caf::none;
}

/// Before anything of it is repeated in a log or an answer.
caf::error check_words(const node_hello& hello) {
  if (!obeys("word", hello.boot))
    return fault_at(ec::invalid_argument, "boot", "must be a word");
  if (hello.version.size() > longest_text)
    return fault_at(ec::invalid_argument, "version", "must have 1024 bytes at most");
  if (hello.roles.size() > most_roles)
    return fault_at(ec::invalid_argument, "roles", "must be 128 at most");
  if (!std::all_of(hello.roles.begin(), hello.roles.end(),
                   [](const std::string& role) { return obeys("word", role); }))
    return fault_at(ec::invalid_argument, "roles", "must be words");
  return caf::none;
}

caf::error check_roles(const gate_options& own, const std::string& node,
                       const std::vector<std::string>& roles) {
  auto listed = own.peers ? own.peers->find(node) : std::nullopt;
  if (!listed)
    return fault_at(ec::forbidden, "node", "'" + node + "' is not on the cluster's list");
  const auto& allowed = listed->roles;
  for (const auto& role : roles) {
    if (role == "journal")
      return fault_at(ec::conflict, "roles",
                      "it brings a journal; a cluster has one, on node " + own.node);
    if (!allowed.empty() && std::find(allowed.begin(), allowed.end(), role) == allowed.end())
      return fault_at(ec::forbidden, "roles",
                      "the cluster's list does not let '" + node + "' play '" + role + "'");
  }
  return caf::none;
}

void tick_later(gate_pointer self) {
  if (!std::exchange(self->state.ticking, true))
    self->delayed_send(self, self->state.options.lost_after / 3, caf::tick_atom_v);
}

/// Ends a membership; its runs keep their leases.
void part(gate_pointer self, member& who, node_state how, std::string why) {
  log(how == node_state::left ? log_level::info : log_level::warning, "gate",
      how == node_state::left ? "node left" : "node lost", {{"node", who.view.node}, {"why", why}});
  who.view.state = how;
  who.view.since = now();
  who.view.trouble = std::move(why);
  who.told.clear();
  if (auto link = std::exchange(who.link, nullptr)) {
    self->demonitor(link->address());
    if (self->state.options.cut && how == node_state::lost)
      self->state.options.cut(link->node());
  }
}

/// Tells one node what has changed since it was told last.
void tell_roles(gate_pointer self, member& who) {
  for (auto role : shared_roles) {
    auto actor = role == "nodes" ? caf::actor_cast<caf::strong_actor_ptr>(self)
                                 : self->state.roles->find<caf::strong_actor_ptr>(role);
    auto& told = who.told[std::string{role}];
    if (told == actor)
      continue;
    told = actor;
    self->send(caf::actor_cast<peer_link_actor>(who.link), role_atom_v, std::string{role}, actor);
  }
}

/// The reason under which an objection is counted.
refusal reason_of(const caf::error& why) {
  auto what = explain(why);
  auto of_roles = what.place == "roles";
  switch (what.code) {
    case ec::unsupported: return refusal::other_protocol;
    case ec::conflict: return of_roles ? refusal::second_journal : refusal::name_taken;
    case ec::forbidden: return of_roles ? refusal::role_not_allowed : refusal::bad_hello;
    default: return refusal::bad_hello;
  }
}

/// Tells the node why, then ends its connection: it has no other business here.
void refuse(gate_pointer self, const std::optional<peer_identity>& who, const caf::error& why) {
  const auto& options = self->state.options;
  if (options.refused)
    options.refused(reason_of(why), who.value_or(peer_identity{}), one_line(why));
  if (auto link = self->current_sender(); link && options.cut)
    self->delayed_send(self, refusal_read_within, caf::close_atom_v, link->node());
}

caf::result<node_welcome> join(gate_pointer self, const node_hello& hello) {
  auto& st = self->state;
  auto link = self->current_sender();
  auto who = link && st.options.identity ? st.options.identity(link->node()) : std::nullopt;
  auto why = check_words(hello);
  if (!why)
    why = check_name(st.options, hello, who);
  if (!why)
    why = check_protocol(st.options, hello);
  if (!why)
    why = check_roles(st.options, hello.node, hello.roles);
  if (auto known = st.members.find(hello.node); !why && known != st.members.end()
                                                && known->second.link
                                                && known->second.view.boot != hello.boot)
    why = fault_at(ec::conflict, "node",
                   "a node of that name is up, from " + known->second.view.address
                     + "; names are unique");
  if (why) {
    refuse(self, who, why);
    return why;
  }
  if (st.options.joined)
    st.options.joined(link->node());
  auto& of = st.members[hello.node];
  if (of.link)
    self->demonitor(of.link->address());
  auto joins = of.view.joins + 1;
  of.view = node_view{};
  of.view.node = hello.node;
  of.view.boot = hello.boot;
  of.view.version = hello.version;
  of.view.protocol = std::min(hello.protocol, protocol_now);
  of.view.since = of.view.seen_at = now();
  of.view.address = who->address;
  of.view.certificate_expires = who->expires;
  of.view.joins = joins;
  of.roles = hello.roles;
  of.link = link;
  of.told.clear();
  of.heard = clock_of(self);
  self->monitor(link->address());
  log(log_level::info, "gate", "node joined",
      {{"node", hello.node}, {"address", who->address}, {"version", hello.version}});
  tick_later(self);
  self->send(self, caf::update_atom_v); // behind the welcome
  return node_welcome{of.view.protocol, st.options.node, st.options.boot, st.options.version,
                      st.options.lost_after};
}

/// Bounds what a ping says; it is kept and shown to everybody.
void trim(std::vector<role_status>& roles) {
  if (roles.size() > most_roles)
    roles.resize(most_roles);
  for (auto& x : roles) {
    x.role.resize(std::min(x.role.size(), longest_text));
    x.last_error.resize(std::min(x.last_error.size(), longest_text));
  }
}

caf::result<std::string> hear(gate_pointer self, node_ping& ping) {
  for (auto& [_, of] : self->state.members)
    if (of.link && of.link == self->current_sender()) {
      of.heard = clock_of(self);
      of.view.seen_at = now();
      trim(ping.status.roles);
      of.view.roles = std::move(ping.status.roles);
      return self->state.options.boot;
    }
  return fault(ec::not_found, "say hello first");
}

void look_at_clock(gate_pointer self) {
  auto& st = self->state;
  st.ticking = false;
  auto time = clock_of(self);
  auto any = false;
  for (auto& [name, of] : st.members) {
    if (of.link && time - of.heard > st.options.lost_after)
      part(self, of, node_state::lost, "silent for " + to_short_text(time - of.heard));
    // The list may have been read again since it joined.
    if (auto why = of.link ? check_roles(st.options, name, of.roles) : caf::none)
      part(self, of, node_state::lost, one_line(why));
    any = any || of.link;
  }
  if (any)
    tick_later(self);
}

/// Ends the connections of a node that was refused and has not joined since.
void close_stranger(gate_pointer self, const caf::node_id& whom) {
  for (const auto& [_, of] : self->state.members)
    if (of.link && of.link->node() == whom)
      return;
  self->state.options.cut(whom);
}

node_list list(const gate_state& st) {
  auto out = node_list{};
  for (const auto& [_, of] : st.members)
    out.nodes.push_back(of.view);
  out.nodes.push_back(st.own);
  std::sort(out.nodes.begin(), out.nodes.end(),
            [](const node_view& a, const node_view& b) { return a.node < b.node; });
  if (st.options.counts)
    out.connections = st.options.counts();
  return out;
}

caf::result<node_list> all(gate_pointer self) {
  auto supervisor = self->state.roles->find<supervisor_actor>("supervisor");
  self->state.own.seen_at = now();
  if (!supervisor)
    return list(self->state);
  auto promise = self->make_response_promise<node_list>();
  self->request(supervisor, std::chrono::milliseconds{500}, status_atom_v)
    .then(
      [=](node_status& own) mutable {
        self->state.own.roles = std::move(own.roles);
        promise.deliver(list(self->state));
      },
      [=](caf::error&) mutable { promise.deliver(list(self->state)); });
  return promise;
}

} // namespace

gate_self::behavior_type gate(gate_pointer self, directory* roles, gate_options options) {
  auto& st = self->state;
  st.options = std::move(options);
  st.roles = roles;
  st.own.node = st.options.node;
  st.own.boot = st.options.boot;
  st.own.version = st.options.version;
  st.own.protocol = protocol_now;
  st.own.since = now();
  st.own.certificate_expires = st.options.expires;
  self->set_default_handler(caf::drop); // the other one writes whole messages to the log
  roles->watch([me = caf::actor_cast<caf::weak_actor_ptr>(self)] {
    if (auto strong = me.lock())
      caf::anon_send(caf::actor_cast<caf::actor>(strong), caf::update_atom_v);
  });
  self->set_down_handler([self](const caf::down_msg& message) {
    for (auto& [_, of] : self->state.members)
      if (of.link && of.link->address() == message.source)
        part(self, of, node_state::lost, "its connection broke");
  });
  return {
    [self](const node_hello& hello) { return join(self, hello); },
    [self](node_ping& ping) { return hear(self, ping); },
    [self](caf::leave_atom, const std::string& boot) {
      for (auto& [_, of] : self->state.members)
        if (of.link && of.view.boot == boot && of.link == self->current_sender())
          part(self, of, node_state::left, "");
    },
    [self](nodes_atom) { return all(self); },
    [self](caf::tick_atom) { look_at_clock(self); },
    [self](caf::close_atom, const caf::node_id& whom) { close_stranger(self, whom); },
    [self](caf::update_atom) {
      for (auto& [_, of] : self->state.members)
        if (of.link)
          tell_roles(self, of);
    },
  };
}

} // namespace troupe
