#pragma once

#include "tests/support/job_audit.hpp"
#include "tests/support/tcp_gate.hpp"

#include <memory>
#include <string>
#include <vector>

namespace troupe::tests {

/// What a cluster of real processes is made of. Sections are YAML, two spaces indented.
struct cluster_plan {
  size_t runners = 1;
  std::string jobs = "{}"; ///< Options of the role `jobs`.
  std::string runner = "driver: fake\n        slots: 4\n        prefetch: 8"; ///< Of each runner.
  std::string state;                     ///< Further roles of the state node, one a line.
  std::string gateway;                   ///< Further roles of the gateway, one a line.
  std::string limits = "lost_after: 1s"; ///< Further keys of `cluster:` of every node.
};

/// Three kinds of real nodes joined by TLS on loopback: one with the state, a
/// gateway that has the HTTP server, and runners. Each of the others dials the
/// state node through a wire of its own that a test may break.
class test_cluster {
public:
  explicit test_cluster(cluster_plan plan = {});

  /// Starts all nodes; returns when the gateway is ready and every runner known.
  void start();

  /// Starts the state node and points the wires to it.
  void launch_state();

  /// Waits until the gateway serves and `count` runners are live and ready.
  bool await_ready(size_t count, std::chrono::milliseconds limit = std::chrono::seconds{30});

  node_process& state() {
    return *state_;
  }
  node_process& gateway() {
    return *gateway_;
  }
  node_process& runner(size_t i = 0) {
    return *runners_.at(i);
  }
  size_t runners() const {
    return runners_.size();
  }
  tcp_gate& gateway_wire() {
    return *wires_.at(0);
  }
  tcp_gate& runner_wire(size_t i = 0) {
    return *wires_.at(i + 1);
  }

  /// Returns what the state node knows of a node, null for a stranger or without an answer.
  json node(const std::string& name);

  /// Returns what the state node thinks of a node: "up", "lost", "left", or "" for a stranger.
  std::string state_of(const std::string& node);

  /// What all nodes printed, for messages.
  std::string logs() const;

private:
  std::string identity(const std::string& name) const;
  std::unique_ptr<node_process> agent(const std::string& name, const std::string& roles);

  temp_folder folder_;
  cluster_plan plan_;
  std::unique_ptr<node_process> state_;
  std::unique_ptr<node_process> gateway_;
  std::vector<std::unique_ptr<node_process>> runners_;
  std::vector<std::unique_ptr<tcp_gate>> wires_;
};

} // namespace troupe::tests
