#pragma once

#include "config/section.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace troupe {

/// Whether a check opens the files that a configuration names: certificates, keys,
/// lists of what is revoked. They may be on another host.
enum class named_files : uint8_t { opened, left };

/// Returns every fault of a node's configuration file, in file order; empty if
/// a node would start with it. Uses the readers of the node itself and changes
/// nothing.
std::vector<config_fault> check_node_config(const std::string& path,
                                            named_files how = named_files::opened);

/// The same of a section that has been read from somewhere.
std::vector<config_fault> check_node_config(section root, named_files how = named_files::opened);

/// Returns every key that a node reads, with its default.
std::vector<config_key> known_node_keys();

} // namespace troupe
