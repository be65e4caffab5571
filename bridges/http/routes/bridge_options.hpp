#pragma once

#include "bridges/http/options.hpp"
#include "bridges/http/routes/route_options.hpp"
#include "config/section.hpp"

namespace troupe {

/// Options of the role `http`: the server's and the routes'. Tokens are the node's matter.
struct http_bridge_options {
  http_options server;
  route_options routes;
};

/// Fills the options from the section of the role `http`; faults stay in the section.
void read_options(section& in, http_bridge_options& out);

} // namespace troupe
