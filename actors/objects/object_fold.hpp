#pragma once

#include "messages/job_events.hpp"
#include "messages/object.hpp"

namespace troupe {

/// What an event did to a task, beside changing its object.
struct task_change {
  enum class list : uint8_t { same, enters, leaves };

  list dead = list::same; ///< Whether a task enters or leaves the list of the dead.
  job_id job;             ///< That task.
};

/// Folds one event into the object that it speaks of. A task whose object was made
/// elsewhere makes a stub of it. Each returns what it did to the list of the dead.
task_change fold(object_view& object, const object_created& x, caf::timestamp at);
task_change fold(object_view& object, const job_queued& x, caf::timestamp at);
task_change fold(object_view& object, const run_started& x, caf::timestamp at);
task_change fold(object_view& object, const run_finished& x, caf::timestamp at);
task_change fold(object_view& object, const job_requeued& x, caf::timestamp at);
task_change fold(object_view& object, const job_closed& x, caf::timestamp at);
/// Takes a dead task off the list.
task_change purge(object_view& object, const job_id& job);

/// Returns the task of a job, null if the object has none.
object_task* find_task(object_view& object, const job_id& job);

} // namespace troupe
