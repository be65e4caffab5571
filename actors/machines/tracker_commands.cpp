#include "actors/machines/tracker_core.hpp"
#include "messages/time.hpp"

#include <algorithm>
#include <set>

/// What people decide about machines: checked, appended, applied, answered.
namespace troupe {

namespace {

constexpr auto most_machines = size_t{100'000};
constexpr auto events_at_once = size_t{2000};
constexpr auto ids_in_event = size_t{500};

caf::error stopping() {
  return fault(ec::unavailable, "the machine tracker is stopping");
}

caf::error bad_id(const char* list, size_t i) {
  return fault_at(ec::invalid_argument, std::string{list} + '[' + std::to_string(i) + ']',
                  "must be \"datacenter:host\"");
}

caf::error unknown_machine() {
  return fault(ec::not_found, "unknown machine");
}

/// Returns an import as a sign.
machine_seen sign_of(machine_sighting x, bool force, const std::string& by) {
  auto out = machine_seen{};
  out.machine = std::move(x.id);
  out.kind = force ? machine_sign::forced_import : machine_sign::imported;
  out.at = x.lastseen;
  out.task = std::move(x.lasttaskid);
  out.state = std::move(x.laststatus);
  out.source = by;
  return out;
}

void add_inventory(std::vector<event>& to, std::vector<std::string> machine_inventory::*list,
                   const std::vector<std::string>& ids, const std::string& by, caf::timestamp at) {
  for (auto i = size_t{0}; i < ids.size(); i += ids_in_event) {
    auto x = machine_inventory{};
    x.at = at;
    x.by = by;
    auto end = std::min(ids.size(), i + ids_in_event);
    (x.*list).assign(ids.begin() + static_cast<std::ptrdiff_t>(i),
                     ids.begin() + static_cast<std::ptrdiff_t>(end));
    to.push_back(make_event(x, at));
  }
}

} // namespace

/// Appends events, so many at once; calls `then` when all are durable, or with why not.
void tracker_core::append(std::shared_ptr<std::vector<event>> events, size_t from, when_done then) {
  if (from >= events->size())
    return then({});
  auto journal = roles_->find<journal_actor>("journal");
  if (!journal)
    return then(fault(ec::unavailable, "there is no journal"));
  auto message = append_events{};
  auto& group = message.groups.emplace_back();
  auto end = std::min(events->size(), from + events_at_once);
  for (auto i = from; i < end; ++i)
    group.events.push_back(std::move((*events)[i]));
  self_->request(journal, options_.request_timeout, std::move(message))
    .then([this, events, end, then](const append_results&) { append(events, end, then); },
          [then](const caf::error& why) { then(why); });
}

/// The same, and they are applied when `then` is called.
void tracker_core::append_and_apply(std::vector<event> events, when_done then) {
  ++open_;
  append(std::make_shared<std::vector<event>>(std::move(events)), 0,
         [this, then = std::move(then)](const caf::error& why) {
           auto end = [this, then](const caf::error& reason) {
             then(reason);
             ended();
           };
           if (why)
             end(why);
           else
             pump_.when_current(end);
         });
}

caf::result<machine_view> tracker_core::quarantine(quarantine_machine what) {
  if (draining_)
    return stopping();
  return pump_.template ask<machine_view>([this, what = std::move(what)](auto reply) mutable {
    if (table_.rows().find(what.id) == machine_rows::nowhere) {
      reply.deliver(unknown_machine());
      return;
    }
    auto x = machine_quarantined{what.id, now(), what.until, std::move(what.why), what.by};
    if (x.why.size() > quarantine_text_size)
      x.why.resize(quarantine_text_size);
    auto events = std::vector<event>{make_event(x, x.at)};
    append_and_apply(std::move(events), [this, reply, id = what.id](const caf::error& why) mutable {
      auto got = why ? caf::expected<machine_view>{why} : table_.view(id, now());
      if (got)
        reply.deliver(std::move(*got));
      else
        reply.deliver(std::move(got.error()));
    });
  });
}

caf::result<machine_forgotten> tracker_core::forget(forget_machine what) {
  if (draining_)
    return stopping();
  return pump_.template ask<machine_forgotten>([this, what = std::move(what)](auto reply) mutable {
    if (table_.rows().find(what.id) == machine_rows::nowhere) {
      reply.deliver(unknown_machine());
      return;
    }
    auto x = machine_forgotten{what.id, now(), what.by};
    auto events = std::vector<event>{make_event(x, x.at)};
    append_and_apply(std::move(events), [reply, x](const caf::error& why) mutable {
      if (why)
        reply.deliver(why);
      else
        reply.deliver(std::move(x));
    });
  });
}

caf::result<machines_imported> tracker_core::import(import_machines what) {
  if (draining_)
    return stopping();
  if (what.machines.size() > most_machines)
    return fault_at(ec::too_large, "machines", "must be at most 100,000");
  for (auto i = size_t{0}; i < what.machines.size(); ++i) {
    const auto& x = what.machines[i];
    if (!split_machine_id(x.id))
      return bad_id("machines", i);
    if (x.lastseen == never)
      return fault_at(ec::invalid_argument, "machines[" + std::to_string(i) + "].lastseen",
                      "must be a time");
  }
  return pump_.template ask<machines_imported>([this, what = std::move(what)](auto reply) mutable {
    auto done = machines_imported{};
    auto events = std::vector<event>{};
    for (auto& x : what.machines) {
      auto where = table_.rows().find(x.id);
      if (!what.force && where != machine_rows::nowhere
          && table_.rows().at(where).seen >= x.lastseen) {
        ++done.older;
        continue;
      }
      ++done.taken;
      auto sign = sign_of(std::move(x), what.force, what.by);
      events.push_back(make_event(sign, sign.at));
    }
    append_and_apply(std::move(events), [reply, done](const caf::error& why) mutable {
      if (why)
        reply.deliver(why);
      else
        reply.deliver(done);
    });
  });
}

caf::result<machines_expected> tracker_core::expect(expect_machines what) {
  if (draining_)
    return stopping();
  if (what.ids.size() > most_machines)
    return fault_at(ec::too_large, "machines", "must be at most 100,000");
  for (auto i = size_t{0}; i < what.ids.size(); ++i)
    if (!split_machine_id(what.ids[i]))
      return bad_id("machines", i);
  return pump_.template ask<machines_expected>([this, what = std::move(what)](auto reply) {
    auto wanted = std::set<std::string>{what.ids.begin(), what.ids.end()};
    auto removed = std::vector<std::string>{};
    auto added = std::vector<std::string>{};
    auto total = uint64_t{0};
    for (const auto& [id, where] : table_.rows().by_id()) {
      if (!table_.rows().at(where).expected)
        continue;
      ++total;
      if (what.replace && !wanted.contains(std::string{id}))
        removed.emplace_back(id);
    }
    for (const auto& id : wanted) {
      auto where = table_.rows().find(id);
      if (where == machine_rows::nowhere || !table_.rows().at(where).expected)
        added.push_back(id);
    }
    auto done =
      machines_expected{added.size(), removed.size(), total + added.size() - removed.size()};
    auto events = std::vector<event>{};
    add_inventory(events, &machine_inventory::added, added, what.by, now());
    add_inventory(events, &machine_inventory::removed, removed, what.by, now());
    append_and_apply(std::move(events), [reply, done](const caf::error& why) mutable {
      if (why)
        reply.deliver(why);
      else
        reply.deliver(done);
    });
  });
}

} // namespace troupe
