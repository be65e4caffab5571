#include "actors/objects/objects.hpp"

#include "actors/objects/objects_core.hpp"

namespace troupe {

objects_inside::behavior_type objects(objects_inside::stateful_pointer<objects_state> self,
                                      const directory* roles,
                                      std::shared_ptr<projection_table> table,
                                      objects_options options) {
  self->state.core = std::make_shared<objects_core>(self, roles, std::move(table), options);
  auto* core = self->state.core.get();
  self->set_default_handler(caf::drop);
  core->start();
  return {
    [core](create_object& x) { return core->create(std::move(x)); },
    [core](take_task& x) { return core->take(std::move(x)); },
    [core](task_report& x) { return core->report(std::move(x)); },
    [core](const get_object& x) { return core->get(x); },
    [core](const list_objects& x) { return core->list(x); },
    [core](const list_dead_tasks& x) { return core->list_dead(x); },
    [core](retry_dead_tasks& x) { return core->retry(std::move(x)); },
    [core](purge_dead_tasks& x) { return core->purge(std::move(x)); },
    [core](drain_atom) { return core->drain(); },
    [core](caf::tick_atom) { core->tick(); },
    [core](caf::flush_atom) { core->flush(); },
  };
}

} // namespace troupe
