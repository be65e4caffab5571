#pragma once

#include "actors/directory.hpp"
#include "messages/protocols.hpp"

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <functional>
#include <map>

namespace troupe::tests {

/// How a consumer on another node reads.
struct pull_options {
  uint64_t from = 1;
  uint32_t max_events = 4096; ///< Of one request.
  uint32_t max_bytes = 1 << 20;
  uint32_t at_once = 2;                             ///< The credit: requests whose events are
                                                    ///< under way or not yet taken.
  caf::timespan wait = std::chrono::seconds{1};     ///< At the end, for more.
  caf::timespan patience = std::chrono::seconds{5}; ///< For an answer.
  std::function<bool(const std::vector<stored_event>&)> take; ///< False: that was enough.
};

using event_puller_actor = caf::typed_actor<caf::reacts_to<caf::tick_atom, uint64_t>>;

/// State of a puller.
struct event_puller_state {
  static inline const char* name = "event_puller";

  const directory* roles = nullptr;
  pull_options options;
  caf::actor_addr asked; ///< The journal, monitored.
  uint64_t turn = 0;     ///< Answers to requests of an older turn are dropped.
  uint64_t take_next = 1;
  uint64_t ask_next = 1;
  uint32_t stride = 0; ///< Events of one request: as many as fit into its bytes.
  uint32_t under_way = 0;
  bool at_end = false;
  std::map<uint64_t, event_batch> early; ///< Answers that overtook others.
};

/// Reads the events of the role `journal`, wherever it is, in order and without
/// repetition; goes on where it was when the journal is back. `take` may block:
/// spawn it detached.
event_puller_actor::behavior_type
event_puller(event_puller_actor::stateful_pointer<event_puller_state> self, const directory* roles,
             pull_options options);

} // namespace troupe::tests
