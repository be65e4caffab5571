#pragma once

#include <string>

namespace troupe::tests {

/// Returns an admin token for the node with this data folder, empty while the
/// node has not made its secret yet.
std::string node_token(const std::string& data_folder);

} // namespace troupe::tests
