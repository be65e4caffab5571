#include "bridges/http/routes/call.hpp"

namespace troupe {

namespace {

http_response nodes(call& c) {
  return answer(c, c.ask<node_list>(c.shared.roles.nodes, nodes_atom_v));
}

} // namespace

std::vector<route> node_routes() {
  return {
    {.method = "GET",
     .path = "/nodes",
     .least = token_level::read,
     .tag = "nodes",
     .summary = "Lists the nodes of the cluster, and what its transport let in and kept out",
     .answers = {{200, "Ordered by name.", schema_of<node_list>()}},
     .run = nodes},
  };
}

} // namespace troupe
