#include "nodes/cli/job_text.hpp"
#include "nodes/cli/program.hpp"
#include "nodes/cli/session.hpp"

#include <CLI/CLI.hpp>

#include <ostream>

namespace troupe::cli {

namespace {

void queues(program& p) {
  auto server = session::open(p.options);
  if (!server)
    return p.fail(server.error());
  auto raw = json{};
  auto all = server->get<queue_list>("/queues", &raw);
  if (!all)
    return p.fail(all.error());
  if (p.options.json)
    return write_line(p.io, json_text(raw["queues"]));
  p.io.out << queues_table(p.io, *all);
}

} // namespace

void add_queues(program& p) {
  auto verb = p.verb("queues", "List queues: what waits, what runs, how many slots serve them",
                     "  troupe queues\n"
                     "  troupe queues --json | jq '.[] | select(.queued > 0)'\n");
  verb->callback([&p] { queues(p); });
}

} // namespace troupe::cli
