#pragma once

#include "tests/support/child_process.hpp"
#include "tests/support/temp_folder.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace troupe::tests {

/// Certificates and configurations of a cluster whose nodes may be processes or
/// parts of this one. The first of its names listens on loopback, the others dial it.
/// Everything throws what goes wrong.
class cluster_home {
public:
  explicit cluster_home(std::vector<std::string> names);

  /// Returns the configuration of the node that listens. `roles`: YAML, one per
  /// line, two spaces indented.
  std::string listener(const std::string& roles) const;

  /// Returns the configuration of a node that dials it at `port`; it may play no roles.
  std::string dialer(const std::string& name, const std::string& roles, uint16_t port) const;

  /// Starts a `troupe-node` with a configuration of above; its log is `log_of(name)`.
  child_process launch(const std::string& name, const std::string& config) const;

  /// Writes a configuration to a file and returns its path.
  std::string write(const std::string& name, const std::string& config) const;

  /// Waits until the node that listens does, and returns its port.
  uint16_t await_port() const;

  std::string log_of(const std::string& name) const {
    return folder_.path() + '/' + name + ".log";
  }

private:
  std::string config(const std::string& name, const std::string& roles,
                     const std::string& place) const;
  std::string data_of(const std::string& name) const {
    return folder_.path() + '/' + name + "-data";
  }

  temp_folder folder_;
  std::vector<std::string> names_;
};

} // namespace troupe::tests
