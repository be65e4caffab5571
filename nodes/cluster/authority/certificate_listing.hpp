#pragma once

#include "nodes/cluster/authority/authority.hpp"
#include "nodes/cluster/authority/certificate.hpp"

namespace troupe {

/// Returns the authority of a folder as it is listed.
listed_certificate list_authority(const std::string& folder, const certificate& cert, int64_t now);

/// Returns a node as it is listed: `folder` holds its files.
listed_certificate list_node(const std::string& folder, const certificate& authority, int64_t now);

} // namespace troupe
