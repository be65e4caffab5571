#pragma once

#include "messages/codec.hpp"

#include <string>
#include <vector>

namespace troupe {

/// What the supervisor knows of one role of its node.
struct role_status {
  std::string role;
  bool up = false;
  uint32_t restarts = 0;  ///< Since the node started.
  std::string last_error; ///< Why it ended last, empty if it never did.

  static constexpr auto type_name = "troupe::role_status";
  static constexpr auto fields = std::tuple{
    field{"role", &role_status::role},
    field{"up", &role_status::up},
    field{"restarts", &role_status::restarts},
    field{"last_error", &role_status::last_error},
  };
};

/// What a node says of itself.
struct node_status {
  std::string node;
  std::string boot; ///< New at each start.
  std::string version;
  std::vector<role_status> roles;

  static constexpr auto type_name = "troupe::node_status";
  static constexpr auto fields = std::tuple{
    field{"node", &node_status::node},
    field{"boot", &node_status::boot},
    field{"version", &node_status::version},
    field{"roles", &node_status::roles},
  };
};

} // namespace troupe
