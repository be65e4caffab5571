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

void give_up(supervisor_pointer self, const std::string& role, const std::string& why,
             bool at_start) {
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

using steady = std::chrono::steady_clock;

caf::duration until(steady::time_point when, std::chrono::milliseconds at_least) {
  auto rest = std::chrono::duration_cast<std::chrono::milliseconds>(when - steady::now());
  return caf::duration{std::max(rest, at_least)};
}

/// Roles of one family ("tests/a", "tests/b") do not need each other.
std::string_view family_of(const child& of) {
  return std::string_view{of.what.role}.substr(0, of.what.role.find('/'));
}

/// Asks the roles to finish what they do: the last started first, those of one
/// family at the same time. Returns how many were late.
uint32_t drain_roles(caf::scoped_actor& waiter, supervisor_state& st) {
  auto late = uint32_t{0};
  auto deadline = steady::now() + st.options.drain_limit;
  for (auto i = st.children.rbegin(); i != st.children.rend();) {
    auto asked = std::vector<std::function<void()>>{};
    auto family = family_of(*i);
    for (; i != st.children.rend() && family_of(*i) == family; ++i) {
      if (!i->actor || !i->what.drains)
        continue;
      auto answer = std::make_shared<
        std::decay_t<decltype(waiter->request(caf::actor{}, caf::duration{}, drain_atom_v))>>(
        waiter->request(caf::actor_cast<caf::actor>(i->actor),
                        until(deadline, st.options.role_grace), drain_atom_v));
      asked.emplace_back([&late, answer, role = i->what.role] {
        answer->receive([](uint32_t) {},
                        [&](const caf::error& why) {
                          ++late;
                          log(log_level::warning, "supervisor", "role did not drain in time",
                              {{"role", role}, {"why", one_line(why)}});
                        });
      });
    }
    for (auto& wait : asked)
      wait();
  }
  return late;
}

/// Ends the roles, the last started first. Returns the names of those that do not end.
std::string end_roles(caf::scoped_actor& waiter, supervisor_state& st) {
  auto stuck = std::string{};
  auto deadline = steady::now() + st.options.end_limit;
  for (auto i = st.children.rbegin(); i != st.children.rend(); ++i) {
    if (!i->actor)
      continue;
    st.roles->assign(i->what.role, nullptr);
    auto actor = caf::actor_cast<caf::actor>(std::exchange(i->actor, nullptr));
    waiter->monitor(actor);
    waiter->send_exit(actor, caf::exit_reason::user_shutdown);
    auto ended = false;
    auto last = std::max(deadline, steady::now() + st.options.role_grace);
    while (!ended && steady::now() < last)
      waiter->receive([&](const caf::down_msg& x) { ended = x.source == actor.address(); },
                      caf::after(until(last, std::chrono::milliseconds{0})) >> [] {});
    if (!ended)
      stuck += (stuck.empty() ? "" : ", ") + i->what.role;
  }
  return stuck;
}

/// Drains and ends the roles. Blocks: the node is leaving.
uint32_t drain_children(supervisor_pointer self) {
  auto& st = self->state;
  st.stopping = true;
  auto waiter = caf::scoped_actor{self->system()};
  auto late = drain_roles(waiter, st);
  auto stuck = end_roles(waiter, st);
  if (stuck.empty())
    return late;
  log(log_level::error, "supervisor", "roles do not end", {{"roles", stuck}});
  if (st.options.stuck)
    st.options.stuck(stuck);
  return late + 1;
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
  roles->assign("supervisor", caf::actor_cast<caf::strong_actor_ptr>(self));
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
