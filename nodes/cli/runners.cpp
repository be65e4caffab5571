#include "nodes/cli/job_text.hpp"
#include "nodes/cli/program.hpp"
#include "nodes/cli/session.hpp"

#include <CLI/CLI.hpp>

#include <ostream>

namespace troupe::cli {

namespace {

void runners(program& p) {
  auto server = session::open(p.options);
  if (!server)
    return p.fail(server.error());
  auto raw = json{};
  auto all = server->get<runner_list>("/runners", &raw);
  if (!all)
    return p.fail(all.error());
  if (p.options.json)
    return write_line(p.io, json_text(raw["runners"]));
  p.io.out << runners_table(p.io, *all, now());
}

} // namespace

void add_runners(program& p) {
  auto verb = p.verb("runners", "List runners: ready, busy, broken and why",
                     "  troupe runners\n"
                     "  troupe runners --json | jq '.[] | select(.broken != \"\")'\n");
  verb->callback([&p] { runners(p); });
}

} // namespace troupe::cli
