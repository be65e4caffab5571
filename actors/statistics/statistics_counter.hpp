#pragma once

#include "actors/directory.hpp"
#include "actors/projection/projection_pump.hpp"
#include "actors/statistics/statistics_fold.hpp"
#include "messages/protocols.hpp"

#include <memory>

namespace troupe {

/// The statistics' interface plus what it sends to itself.
using statistics_inside =
  statistics_actor::extend<caf::reacts_to<caf::tick_atom>, caf::reacts_to<caf::flush_atom>>;

class statistics_core;

/// State of the statistics counter.
struct statistics_state {
  static inline const char* name = "statistics";

  std::shared_ptr<statistics_core> core;
};

/// Returns how the statistics follow the journal; `node` is empty beside the journal.
pump_options statistics_pump_options(const std::string& node = {});

/// Spawns as the role "statistics": counts the events of the role "journal". It blocks
/// on its table: spawn it detached (deterministic tests do not). It ends when the table
/// is broken.
statistics_inside::behavior_type
statistics_counter(statistics_inside::stateful_pointer<statistics_state> self,
                   const directory* roles, std::shared_ptr<projection_table> table,
                   pump_options options, statistics_limits limits = {});

} // namespace troupe
