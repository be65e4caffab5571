#pragma once

#include "actors/directory.hpp"
#include "actors/machines/machine_table.hpp"
#include "actors/projection/projection_table.hpp"
#include "messages/protocols.hpp"

#include <chrono>
#include <memory>
#include <string>

namespace troupe {

struct machine_tracker_options {
  machine_limits limits;
  bool alerts = true;
  uint32_t exceptions_in_a_row = 3;                     ///< So many raise an alert; 0 = never.
  caf::timespan look_interval{std::chrono::minutes{1}}; ///< Who has gone stale, and is too old.
  caf::timespan request_timeout{std::chrono::seconds{5}};
  uint32_t batch_events = 4096;
  std::string node; ///< On another node than the journal: its name.
};

class tracker_core;

/// The interface plus what the actor sends to itself.
using machine_tracker_inside =
  machine_tracker_actor::extend<caf::reacts_to<caf::tick_atom>, caf::reacts_to<caf::flush_atom>>;

/// State of the actor.
struct machine_tracker_state {
  static inline const char* name = "machines";

  std::shared_ptr<tracker_core> core;
};

/// Spawns as the role "machines": follows what the role "journal" tells of machines,
/// answers questions about them, and appends what is decided here: quarantines,
/// imports, the inventory, alerts. It blocks on its table: spawn it detached
/// (deterministic tests do not). It ends when the table is broken.
machine_tracker_inside::behavior_type
machine_tracker(machine_tracker_inside::stateful_pointer<machine_tracker_state> self,
                const directory* roles, std::shared_ptr<projection_table> table,
                machine_tracker_options options);

} // namespace troupe
