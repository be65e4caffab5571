#pragma once

#include "config/log.hpp"
#include "config/section.hpp"

#include <chrono>
#include <string>

namespace troupe {

/// What concerns the process as a whole: the `node:` section.
struct node_options {
  std::string name;                   ///< Default: the host's name.
  std::string data = "./troupe-data"; ///< Private folder of this node, made if absent (0700).
  log_level log = log_level::info;
  std::chrono::milliseconds drain_limit{30'000}; ///< For all roles, when the node leaves.
};

/// Fills options from the `node:` section; faults are collected by the section.
node_options read_node_options(section& root);

} // namespace troupe
