#pragma once

#include "nodes/cluster/cluster_options.hpp"
#include "nodes/cluster/tls_context.hpp"

#include <memory>
#include <string>

namespace troupe {

/// Reads the identity of the node `node`. Errors: as `tls_context::make`;
/// `ec::invalid_config` if it is another node's.
caf::expected<std::shared_ptr<tls_context>> read_identity(const cluster_options& from,
                                                          const std::string& node);

/// Opens the same files and tells the `cluster:` section what is wrong with them.
void check_identity(section& in, const cluster_options& from, const std::string& node);

} // namespace troupe
