#pragma once

#include "messages/codec.hpp"
#include "messages/reason.hpp"

#include <caf/timestamp.hpp>

#include <cstdint>
#include <string>

/// What the statistics remember of one target and of one object.
namespace troupe {

/// Which runs of a target were counted: each once, in whatever order they are told.
struct run_set {
  uint64_t first_64 = 0; ///< One bit per run.
  uint32_t beyond = 0;   ///< Further ones only count upwards.

  bool empty() const {
    return first_64 == 0 && beyond == 0;
  }
  bool contains(uint32_t run) const {
    return run < 64 ? (first_64 >> run & 1) != 0 : run <= beyond;
  }
  /// Returns false if it was there.
  bool insert(uint32_t run) {
    if (contains(run))
      return false;
    if (run < 64)
      first_64 |= uint64_t{1} << run;
    else
      beyond = run;
    return true;
  }

  static constexpr auto type_name = "troupe::run_set";
  static constexpr auto fields = std::tuple{
    field{"first_64", &run_set::first_64},
    field{"beyond", &run_set::beyond},
  };
};

/// A job. While it is open it is in its groups' numbers of running and waiting ones.
struct counted_target {
  bool queued = false; ///< Its acceptance is counted.
  run_set started;
  run_set ended;
  uint64_t closed = 0; ///< How many targets were closed up to it; 0 = open.
  bool waiting = false;
  bool running = false;
  uint32_t run = 0; ///< The one that runs.
  std::string kind; ///< This and the following: while it is open.
  std::string queue;
  std::string subject;
  std::string runner;
  caf::timestamp ready_at{};   ///< Since when it waits.
  caf::timestamp started_at{}; ///< The run that runs.

  static constexpr auto type_name = "troupe::counted_target";
  static constexpr auto fields = std::tuple{
    field{"queued", &counted_target::queued},
    field{"started", &counted_target::started},
    field{"ended", &counted_target::ended},
    field{"closed", &counted_target::closed},
    field{"waiting", &counted_target::waiting},
    field{"running", &counted_target::running},
    field{"run", &counted_target::run},
    field{"kind", &counted_target::kind},
    field{"queue", &counted_target::queue},
    field{"subject", &counted_target::subject},
    field{"runner", &counted_target::runner},
    field{"ready_at", &counted_target::ready_at},
    field{"started_at", &counted_target::started_at},
  };
};

/// An object of the pipeline.
struct counted_object {
  uint64_t ordinal = 0;        ///< How many objects were known up to it.
  caf::timestamp created_at{}; ///< 0 = only its tasks are known.
  uint32_t tasks_made = 0;     ///< With it.
  uint32_t tasks_total = 0;
  uint32_t tasks_done = 0;
  uint32_t tasks_dead = 0;
  caf::timestamp completed_at{};
  bool timed = false; ///< Its time is among the durations.

  bool complete() const {
    return tasks_total > 0 && tasks_total >= tasks_made && tasks_done + tasks_dead >= tasks_total;
  }

  static constexpr auto type_name = "troupe::counted_object";
  static constexpr auto fields = std::tuple{
    field{"ordinal", &counted_object::ordinal},
    field{"created_at", &counted_object::created_at},
    field{"tasks_made", &counted_object::tasks_made},
    field{"tasks_total", &counted_object::tasks_total},
    field{"tasks_done", &counted_object::tasks_done},
    field{"tasks_dead", &counted_object::tasks_dead},
    field{"completed_at", &counted_object::completed_at},
    field{"timed", &counted_object::timed},
  };
};

} // namespace troupe
