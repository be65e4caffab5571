#include "recording_machines.hpp"

namespace troupe::tests {

namespace {

using record_ptr = std::shared_ptr<machine_record>;

machine_view view_of(const machine_sighting& x) {
  auto out = machine_view{};
  out.datacenter = x.id.substr(0, x.id.find(':'));
  out.machine = x.id.substr(x.id.find(':') + 1);
  out.lastseen = x.lastseen;
  out.laststatus = x.laststatus;
  out.lasttaskid = x.lasttaskid;
  return out;
}

caf::error unknown() {
  return fault(ec::not_found, "there is no such machine");
}

caf::error check_token(const std::string& token) {
  return token == "bad" ? fault_at(ec::invalid_argument, "continuationToken", "is not a token")
                        : caf::error{};
}

machine_tracker_actor::behavior_type tracker(machine_tracker_actor::pointer, record_ptr told) {
  return {
    [=](const list_sightings&) {
      auto lock = std::lock_guard{told->mutex};
      auto out = sighting_list{};
      for (const auto& [_, x] : told->seen)
        if (x.lastseen != caf::timestamp{})
          out.machines.push_back(x);
      return out;
    },
    [=](const list_machines& what) -> caf::result<machine_page> {
      auto lock = std::lock_guard{told->mutex};
      if (auto why = check_token(what.after))
        return why;
      told->listed.push_back(what);
      auto out = machine_page{};
      for (const auto& [_, x] : told->seen)
        out.machines.push_back(view_of(x));
      out.next = "next";
      return out;
    },
    [=](const get_machine& what) -> caf::result<machine_view> {
      auto lock = std::lock_guard{told->mutex};
      auto i = told->seen.find(what.id);
      if (i == told->seen.end())
        return unknown();
      return view_of(i->second);
    },
    [=](const list_machine_tasks& what) -> caf::result<machine_task_page> {
      auto lock = std::lock_guard{told->mutex};
      if (auto why = check_token(what.after))
        return why;
      if (!told->seen.contains(what.id))
        return unknown();
      auto out = machine_task_page{};
      out.tasks.resize(what.limit);
      out.next = "next";
      return out;
    },
    [=](const quarantine_machine& what) -> caf::result<machine_view> {
      auto lock = std::lock_guard{told->mutex};
      auto i = told->seen.find(what.id);
      if (i == told->seen.end())
        return unknown();
      told->marked.push_back(what);
      return view_of(i->second);
    },
    [=](const forget_machine& what) -> caf::result<machine_forgotten> {
      auto lock = std::lock_guard{told->mutex};
      if (told->seen.erase(what.id) == 0)
        return unknown();
      return machine_forgotten{};
    },
    [=](import_machines& what) {
      auto lock = std::lock_guard{told->mutex};
      auto out = machines_imported{};
      out.taken = what.machines.size();
      told->imported.push_back(std::move(what));
      return out;
    },
    [=](const expect_machines& what) {
      auto lock = std::lock_guard{told->mutex};
      told->expected.push_back(what);
      return machines_expected{};
    },
    [=](const summarize_machines&) {
      auto lock = std::lock_guard{told->mutex};
      auto out = machine_summary{};
      out.total.total = told->seen.size();
      return out;
    },
    [](status_atom) { return machine_counters{}; },
    [](drain_atom) -> uint32_t { return 0; },
  };
}

} // namespace

void machine_record::see(const std::string& id, const std::string& time, std::string status,
                         std::string task) {
  auto lock = std::lock_guard{mutex};
  auto& x = seen[id];
  x.id = id;
  x.lastseen = parse_machine_time(time).value_or(caf::timestamp{});
  x.laststatus = std::move(status);
  x.lasttaskid = std::move(task);
}

machine_tracker_actor spawn_recording_machines(caf::actor_system& sys, record_ptr told) {
  return sys.spawn(tracker, std::move(told));
}

} // namespace troupe::tests
