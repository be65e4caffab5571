#pragma once

#include "nodes/role.hpp"

#include <set>
#include <string>

namespace troupe {

/// Where a runner stands on its node.
struct runner_place {
  std::string role;   ///< Among the node's roles.
  std::string key;    ///< Part of its name and of the path of its folder.
  std::string driver; ///< Unless its section names another.
};

/// Returns one runner as its section says; its name must not be among `names` and joins them.
supervised_role prepare_runner(node_context& node, const runner_place& place, section in,
                               std::set<std::string>& names);

} // namespace troupe
