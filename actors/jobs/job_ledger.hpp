#pragma once

#include "actors/directory.hpp"
#include "actors/jobs/ledger_options.hpp"
#include "messages/protocols.hpp"

#include <memory>

namespace troupe {

class ledger_core;

/// The ledger's interface plus what it sends to itself.
using job_ledger_inside =
  job_ledger_actor::extend<caf::reacts_to<caf::flush_atom>, caf::reacts_to<caf::tick_atom>>;

/// State of the job ledger.
struct job_ledger_state {
  static inline const char* name = "job_ledger";

  std::shared_ptr<ledger_core> core;
};

/// Spawns as the role "jobs": decides about jobs on memory and answers when the
/// decision is in the journal (docs/adr/0005). It finds the roles "journal" and
/// "history" in `roles`, takes over with a new epoch, rebuilds its state from
/// the unfinished jobs of the history, and until then answers `unavailable`
/// (`disk_full` if that is why). When an append fails after memory has changed,
/// it ends with the error; its supervisor starts it anew.
job_ledger_inside::behavior_type
job_ledger(job_ledger_inside::stateful_pointer<job_ledger_state> self, const directory* roles,
           ledger_options options);

} // namespace troupe
