#pragma once

#include "config/section.hpp"

#include <string>
#include <vector>

namespace troupe {

/// Returns every fault of a node's configuration file, in file order; empty if
/// a node would start with it. Uses the readers of the node itself and touches
/// nothing else.
std::vector<config_fault> check_node_config(const std::string& path);

/// Returns every key that a node reads, with its default.
std::vector<config_key> known_node_keys();

} // namespace troupe
