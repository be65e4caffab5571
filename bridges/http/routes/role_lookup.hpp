#pragma once

#include "messages/protocols.hpp"

#include <functional>

namespace troupe {

/// Where the routes find the actors: one question per role, asked at each use.
/// An unset question, or an empty answer, means that the role is absent.
///
/// Threads: any.
struct role_lookup {
  std::function<job_ledger_actor()> jobs;
  std::function<job_history_actor()> history;
  std::function<artifact_store_actor()> artifacts;
  std::function<journal_actor()> journal;
  std::function<gate_actor()> nodes;
  std::function<statistics_actor()> statistics;
  std::function<amqp_bridge_actor()> amqp;
  std::function<objects_actor()> objects;
  std::function<machine_tracker_actor()> machines;
  std::function<peer_link_actor()> link; ///< To the node that this one joins.
};

/// Returns the handle behind one question of a `role_lookup`, empty if absent.
template <class Handle>
Handle find_role(const std::function<Handle()>& question) {
  return question ? question() : Handle{};
}

} // namespace troupe
