#pragma once

#include "actors/directory.hpp"
#include "actors/projection/projection_table.hpp"
#include "messages/protocols.hpp"

#include <chrono>
#include <memory>

namespace troupe {

/// What the job history keeps and how long it waits.
struct history_options {
  std::string consumer = "history"; ///< Name of its cursor, unique in the cluster.
  std::string elder; ///< Role that is asked for jobs that this one does not have; empty: none.
  std::chrono::hours keep_for{24 * 90};            ///< Older finished jobs are forgotten ...
  uint64_t keep_jobs = 5'000'000;                  ///< ... and so are the oldest beyond this many.
  size_t most_waiting = 8192;                      ///< Questions that wait; more are `saturated`.
  caf::timespan patience{std::chrono::seconds{2}}; ///< Behind for longer than this = `unavailable`.
  caf::timespan read_timeout{std::chrono::seconds{5}};  ///< For the journal.
  caf::timespan longest_wait{std::chrono::seconds{30}}; ///< For a change of a job.
  caf::timespan retire_interval{std::chrono::minutes{5}};
  uint32_t batch_events = 4096;
};

class history_core;

/// The history's interface plus what it sends to itself.
using job_history_inside =
  job_history_actor::extend<caf::reacts_to<caf::tick_atom>, caf::reacts_to<caf::flush_atom>>;

/// State of the job history.
struct job_history_state {
  static inline const char* name = "job_history";

  std::shared_ptr<history_core> core;
};

/// Spawns as the role "history": follows the job events of the role "journal"
/// and answers questions about jobs. It blocks on its table: spawn it detached
/// (deterministic tests do not). It ends when the table is broken.
job_history_inside::behavior_type
job_history(job_history_inside::stateful_pointer<job_history_state> self, const directory* roles,
            std::shared_ptr<projection_table> table, history_options options);

} // namespace troupe
