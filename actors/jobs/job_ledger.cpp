#include "actors/jobs/job_ledger.hpp"

#include "actors/jobs/ledger_core.hpp"

namespace troupe {

job_ledger_inside::behavior_type
job_ledger(job_ledger_inside::stateful_pointer<job_ledger_state> self, const directory* roles,
           ledger_options options) {
  self->state.core = std::make_shared<ledger_core>(self, roles, std::move(options));
  auto* core = self->state.core.get();
  self->set_default_handler(caf::drop); // typed: what does not match is a mistake of the sender
  core->start();
  return {
    [core](submit_job& x) { return core->submit(std::move(x)); },
    [core](submit_jobs& x) { return core->submit(std::move(x)); },
    [core](const cancel_job& x) { return core->cancel(x); },
    [core](const retry_job& x) { return core->retry(x); },
    [core](claim_runs& x) { return core->claim(std::move(x)); },
    [core](const renew_leases& x) { return core->renew(x); },
    [core](finish_runs& x) { return core->finish(std::move(x)); },
    [core](report_stages& x) { return core->report(std::move(x)); },
    [core](const outside_report& x) { return core->report(x); },
    [core](runner_status& x) { return core->hear(std::move(x)); },
    [core](runners_atom) { return core->runners(); },
    [core](queues_atom) { return core->queues(); },
    [core](drain_atom) { return core->drain(); },
    [core](caf::flush_atom) { core->flush(); },
    [core](caf::tick_atom) { core->tick(); },
  };
}

} // namespace troupe
