#include "bridges/http/routes/call.hpp"

namespace troupe {

namespace {

/// A node whose link is down cannot ask; it tells what it knows of the node that it joins.
http_response nodes(call& c) {
  if (!find_role(c.shared.roles.nodes))
    if (auto far = c.ask<node_view>(c.shared.roles.link, status_atom_v))
      return answer(c, caf::expected<node_list>{node_list{{std::move(*far)}, {}}});
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
     .answers = {{200,
                  "Ordered by name. From a node whose link is down: the node that it cannot "
                  "join, and why.",
                  schema_of<node_list>()}},
     .run = nodes},
  };
}

} // namespace troupe
