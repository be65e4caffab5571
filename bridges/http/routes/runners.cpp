#include "bridges/http/routes/call.hpp"

namespace troupe {

namespace {

http_response runners(call& c) {
  return answer(c, c.ask<runner_list>(c.shared.roles.jobs, runners_atom_v));
}

http_response queues(call& c) {
  return answer(c, c.ask<queue_list>(c.shared.roles.jobs, queues_atom_v));
}

} // namespace

std::vector<route> runner_routes() {
  return {
    {.method = "GET",
     .path = "/runners",
     .least = token_level::read,
     .tag = "runners",
     .summary = "Lists the runners and what they do",
     .answers = {{200, "Ordered by name.", schema_of<runner_list>()}},
     .run = runners},
    {.method = "GET",
     .path = "/queues",
     .least = token_level::read,
     .tag = "runners",
     .summary = "Lists the queues: what waits, runs, and can run",
     .answers = {{200, "Ordered by name.", schema_of<queue_list>()}},
     .run = queues},
  };
}

} // namespace troupe
