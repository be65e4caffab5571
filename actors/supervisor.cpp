#include "actors/supervisor.hpp"

#include "config/log.hpp"

#include <caf/scoped_actor.hpp>
#include <caf/stateful_actor.hpp>

#include <algorithm>
#include <exception>

namespace troupe {

namespace {

using supervisor_pointer = supervisor_actor::stateful_pointer<supervisor_state>;
using child = supervisor_state::child;

constexpr auto version_text = "0.1.0";

void give_up(supervisor_pointer self, const std::string& role, const std::string& why, bool at_start) {
  auto& st = self->state;
  if (st.stopping)
    return;
  log(log_level::error, "supervisor", "node gives up", {{"role", role}, {"why", why}});
  st.stopping = true;
  if (st.options.give_up)
    st.options.give_up(role + ": " + why, at_start);
}

/// Counts an end and returns how long to wait before the next start; nothing if
/// the role ends too often.
std::optional<std::chrono::milliseconds> next_backoff(child& of,
                                                      const supervisor_options& options) {
  auto now = std::chrono::steady_clock::now();
  of.ends.push_back(now);
  while (now - of.ends.front() > std::chrono::minutes{1})
    of.ends.pop_front();
  if (of.ends.size() > options.restarts_per_minute)
    return std::nullopt;
  auto backoff = std::chrono::milliseconds{options.first_backoff} * (1L << (of.ends.size() - 1));
  return std::min(backoff, options.longest_backoff);
}

void ended(supervisor_pointer self, child& of, std::string why) {
  of.actor = nullptr;
  of.last_error = std::move(why);
  auto backoff = next_backoff(of, self->state.options);
  if (of.what.critical || !backoff)
    return give_up(self, of.what.role, of.last_error, false);
  log(log_level::warning, "supervisor", "role ended, starting it again",
      {{"role", of.what.role}, {"why", of.last_error}, {"after_ms", backoff->count()}});
  self->delayed_send(self, *backoff, restart_atom_v, of.what.role);
}

/// A start that throws (no more threads, no memory) has failed like any other.
caf::expected<caf::strong_actor_ptr> start_guarded(const supervised_role& what) try {
  return what.start();
} catch (const std::exception& why) {
  return fault(ec::unavailable, why.what());
}

/// Returns whether the role is up.
bool start(supervisor_pointer self, child& of) {
  auto actor = start_guarded(of.what);
  if (!actor) {
    of.last_error = one_line(actor.error());
    return false;
  }
  of.actor = std::move(*actor);
  self->monitor(caf::actor_cast<caf::actor_addr>(of.actor));
  self->state.roles->assign(of.what.role, of.actor);
  log(log_level::debug, "supervisor", "role is up", {{"role", of.what.role}});
  return true;
}

void restart(supervisor_pointer self, const std::string& role) {
  for (auto& of : self->state.children)
    if (of.what.role == role && !of.actor && !self->state.stopping) {
      ++of.restarts;
      if (!start(self, of))
        ended(self, of, of.last_error);
    }
}

void down(supervisor_pointer self, const caf::down_msg& message) {
  for (auto& of : self->state.children)
    if (of.actor && of.actor->address() == message.source) {
      self->state.roles->assign(of.what.role, nullptr);
      if (self->state.stopping)
        of.actor = nullptr;
      else
        ended(self, of, message.reason ? one_line(message.reason) : "ended without being asked");
    }
}

/// Drains and ends the roles, last started first. Blocks: the node is leaving.
uint32_t drain_children(supervisor_pointer self) {
  auto& st = self->state;
  st.stopping = true;
  auto waiter = caf::scoped_actor{self->system()};
  auto late = uint32_t{0};
  for (auto i = st.children.rbegin(); i != st.children.rend(); ++i) {
    if (!i->actor || !i->what.drains)
      continue;
    waiter->request(caf::actor_cast<caf::actor>(i->actor), st.options.drain_limit, drain_atom_v)
      .receive([](uint32_t) {},
               [&](const caf::error& why) {
                 ++late;
                 log(log_level::warning, "supervisor", "role did not drain in time",
                     {{"role", i->what.role}, {"why", one_line(why)}});
               });
  }
  for (auto i = st.children.rbegin(); i != st.children.rend(); ++i) {
    if (!i->actor)
      continue;
    st.roles->assign(i->what.role, nullptr);
    auto actor = caf::actor_cast<caf::actor>(std::exchange(i->actor, nullptr));
    waiter->send_exit(actor, caf::exit_reason::user_shutdown);
    waiter->wait_for(actor);
  }
  return late;
}

node_status status(const supervisor_state& st) {
  auto out = node_status{st.options.node, st.options.boot, version_text, {}};
  for (const auto& of : st.children)
    out.roles.push_back({of.what.role, static_cast<bool>(of.actor), of.restarts, of.last_error});
  return out;
}

} // namespace

supervisor_actor::behavior_type supervisor(supervisor_pointer self, directory* roles,
                                           std::vector<supervised_role> children,
                                           supervisor_options options) {
  auto& st = self->state;
  st.options = std::move(options);
  st.roles = roles;
  for (auto& what : children)
    st.children.push_back({std::move(what), nullptr, {}, 0, {}});
  self->set_down_handler([self](caf::down_msg& message) { down(self, message); });
  for (auto& of : st.children)
    if (!st.stopping && !start(self, of))
      give_up(self, of.what.role, of.last_error, true);
  return {
    [self](status_atom) { return status(self->state); },
    [self](restart_atom, const std::string& role) { restart(self, role); },
    [self](drain_atom) {
      auto late = drain_children(self);
      self->quit();
      return late;
    },
  };
}

} // namespace troupe
