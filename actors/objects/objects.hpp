#pragma once

#include "actors/directory.hpp"
#include "actors/projection/projection_table.hpp"
#include "messages/protocols.hpp"

#include <chrono>
#include <memory>

namespace troupe {

enum class processors_where : uint8_t { inside, outside };

/// How objects become tasks, and how long objects are kept.
struct objects_options {
  uint32_t distribution = 3;                             ///< Tasks of an object.
  uint32_t max_attempts = 3;                             ///< Then a task is dead.
  caf::timespan retry_base{std::chrono::seconds{1}};     ///< Before the second attempt; doubles.
  caf::timespan task_deadline{std::chrono::minutes{10}}; ///< Longest time of one attempt.
  caf::timespan queue_deadline{std::chrono::hours{24}};  ///< Longest time without an attempt.
  int32_t priority = 5;
  processors_where processors = processors_where::inside;
  uint64_t id_block = 16'384; ///< Ids reserved at a time.
  std::chrono::hours keep_for{24 * 90};
  uint64_t keep_objects = 5'000'000;
  size_t most_open = 65'536; ///< Creations without an answer.
  caf::timespan retire_interval{std::chrono::minutes{5}};
  caf::timespan request_timeout{std::chrono::seconds{5}}; ///< For journal, ledger and history.
};

/// Ids below this one are left to outside producers, whose range is 0..1000.
inline constexpr auto first_own_id = uint64_t{1024};

/// The queue of tasks that processors inside of Troupe take.
inline constexpr auto inside_queue = std::string_view{"process"};

class objects_core;

/// The interface plus what the actor sends to itself.
using objects_inside =
  objects_actor::extend<caf::reacts_to<caf::tick_atom>, caf::reacts_to<caf::flush_atom>>;

/// State of the actor.
struct objects_state {
  static inline const char* name = "objects";

  std::shared_ptr<objects_core> core;
};

/// Spawns as the role "objects": makes objects through the role "jobs", follows their
/// events in the role "journal" and answers questions about them. Ids come from blocks
/// that the journal knows before one of them is used, so none is given out twice,
/// whatever dies when. It blocks on its table: spawn it detached (deterministic tests do
/// not). It ends when the table is broken or another one has taken its place.
objects_inside::behavior_type objects(objects_inside::stateful_pointer<objects_state> self,
                                      const directory* roles,
                                      std::shared_ptr<projection_table> table,
                                      objects_options options);

} // namespace troupe
