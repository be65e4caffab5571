#pragma once

#include "actors/store/node_folder.hpp"
#include "nodes/role.hpp"

#include <atomic>

namespace troupe {

/// Reads a node's configuration; an empty section means every role with its defaults.
/// Errors: `ec::invalid_config` naming every fault with file:line:column.
caf::expected<std::vector<supervised_role>> read_node(section& root, node_context& node);

/// A node in this process: its actor system, its supervisor, its roles.
///
/// Threads: one.
class node {
public:
  /// Told once when the node cannot go on; the flag: in its very first start.
  using give_up = std::function<void(const std::string& why, bool at_start)>;

  node();
  ~node();
  node(const node&) = delete;
  node& operator=(const node&) = delete;

  /// Reads the configuration and starts the roles; returns when each was started once.
  /// Errors: `ec::invalid_config`; `ec::unavailable` (the data folder cannot be
  /// made, or another node uses it).
  caf::error start(section& root, give_up on_give_up);

  /// Takes from a fresh reading of the configuration what may change while the
  /// node runs, `cluster.peers`, and reads its certificates again.
  /// Errors: `ec::invalid_config`; then all stays as it was.
  caf::error reload(section& root);
  /// Notes for the metrics that the configuration could not even be read.
  caf::error refuse_reload(const caf::error& why);

  /// Drains and ends all roles; returns how many were late. Ends the process with 4
  /// if roles do not end within `node.drain_limit` and some seconds, and with 70
  /// if the supervisor is dead.
  uint32_t stop();

  const directory& roles() const {
    return context_->roles;
  }
  const supervisor_actor& boss() const {
    return context_->supervisor;
  }
  caf::actor_system& actors() {
    return *context_->sys;
  }

private:
  void watch_supervisor(give_up on_give_up);

  node_folder folder_; ///< First member: it is given back last.
  std::shared_ptr<std::atomic<bool>> leaving_ = std::make_shared<std::atomic<bool>>(false);
  std::chrono::milliseconds stop_limit_{0};
  std::unique_ptr<node_context> context_;
  std::unique_ptr<caf::actor_system_config> config_;
  std::unique_ptr<caf::actor_system> sys_;
};

/// Returns whether a supervisor answers within `limit`; blocks as long.
bool answers(caf::actor_system& system, const supervisor_actor& boss,
             std::chrono::milliseconds limit);

/// Runs a node until SIGTERM or SIGINT, then drains it.
/// Returns the exit code: 0 clean stop, 2 bad configuration, 3 the data folder is
/// in use or a role failed to start, 4 roles did not drain in time, 70 a role could
/// not be kept up.
int run_node(const std::string& config_path);

} // namespace troupe
