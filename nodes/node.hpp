#pragma once

#include "nodes/role.hpp"

namespace troupe {

/// Reads a node's configuration; with an empty path every role has its defaults.
/// Errors: `ec::invalid_config` naming every fault with file:line:column.
caf::expected<std::vector<supervised_role>> read_node(const std::string& path, node_context& node);

/// Runs a node until SIGTERM or SIGINT, then drains it.
/// Returns the exit code: 0 clean stop, 2 bad configuration, 3 a role failed to
/// start, 4 roles did not drain in time, 70 a role could not be kept up.
int run_node(const std::string& config_path);

} // namespace troupe
