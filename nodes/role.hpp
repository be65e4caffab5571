#pragma once

#include "actors/supervisor.hpp"
#include "config/section.hpp"
#include "nodes/cluster/cluster_options.hpp"
#include "nodes/node_options.hpp"

#include <caf/actor_system.hpp>

#include <atomic>
#include <functional>
#include <memory>
#include <string_view>
#include <vector>

namespace troupe {

class database;
class disk_guard;
class transport;

/// What the roles of one node share. Lives longer than every actor.
struct node_context {
  caf::actor_system* sys = nullptr;
  directory roles;
  node_options options;
  std::string boot; ///< New at each start.
  supervisor_actor supervisor;
  std::shared_ptr<database> store;   ///< Opened by the journal's start, used by its projections.
  std::shared_ptr<disk_guard> guard; ///< Watches the disk of the data folder.
  std::shared_ptr<transport> connections; ///< To other nodes; null without a cluster.
  bool with_jobs = true; ///< This node, or one of its cluster, plays the role jobs.
  cluster_options cluster;                ///< As read; empty without a cluster.
  std::shared_ptr<peer_list> peers;       ///< Who may join now; null where nobody may.
  /// Filled while a configuration is read: each opens files that the start will open
  /// and tells its section what is wrong with them.
  std::vector<std::function<void()>> file_checks;
  std::atomic<bool> reload_successful = true; ///< Whether the last SIGHUP found no fault.
};

/// One row of the role table.
struct role {
  std::string_view name; ///< Key under `roles:`.

  /// Reads the role's options and returns what to supervise. Touches nothing
  /// before `start` of a returned row is called, so a check may call it too.
  std::vector<supervised_role> (*prepare)(node_context& node, section& options);

  bool standard = true; ///< Played by a node whose configuration names no roles.
};

/// Returns the roles that this program can play, in the order of their start.
const std::vector<role>& role_table();

/// Returns an actor as the supervisor wants it.
template <class Handle>
caf::expected<caf::strong_actor_ptr> started(const Handle& actor) {
  return caf::actor_cast<caf::strong_actor_ptr>(actor);
}

std::vector<supervised_role> prepare_journal(node_context& node, section& options);
std::vector<supervised_role> prepare_jobs(node_context& node, section& options);
std::vector<supervised_role> prepare_history(node_context& node, section& options);
std::vector<supervised_role> prepare_statistics(node_context& node, section& options);
std::vector<supervised_role> prepare_machines(node_context& node, section& options);
std::vector<supervised_role> prepare_artifacts(node_context& node, section& options);
std::vector<supervised_role> prepare_tests(node_context& node, section& options);
std::vector<supervised_role> prepare_amqp(node_context& node, section& options);
std::vector<supervised_role> prepare_objects(node_context& node, section& options);
std::vector<supervised_role> prepare_http(node_context& node, section& options);

/// Lets those join from now on that `fresh` lists, and ends the links of others.
void replace_peers(node_context& node, const cluster_options& fresh);

/// Returns what joins this node, which plays `roles`, to others; without options
/// it is a cluster of its own.
std::vector<supervised_role> prepare_cluster(node_context& node, section* options,
                                             const std::vector<std::string>& roles);

} // namespace troupe
