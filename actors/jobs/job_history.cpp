#include "actors/jobs/job_history.hpp"

#include "actors/jobs/history_core.hpp"

namespace troupe {

job_history_inside::behavior_type
job_history(job_history_inside::stateful_pointer<job_history_state> self, const directory* roles,
            std::shared_ptr<projection_table> table, history_options options) {
  self->state.core = std::make_shared<history_core>(self, roles, std::move(table), options);
  auto* core = self->state.core.get();
  self->set_default_handler(caf::drop);
  core->start();
  return {
    [core](const get_job& x) { return core->get(x); },
    [core](const list_jobs& x) { return core->list(x); },
    [core](const read_live_jobs& x) { return core->live(x); },
    [core](caf::tick_atom) { core->tick(); },
    [core](caf::flush_atom) { core->flush(); },
  };
}

} // namespace troupe
