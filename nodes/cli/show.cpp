#include "nodes/cli/job_argument.hpp"
#include "nodes/cli/job_text.hpp"
#include "nodes/cli/program.hpp"
#include "nodes/cli/session.hpp"

#include <CLI/CLI.hpp>

#include <ostream>

namespace troupe::cli {

namespace {

void show(program& p, const job_id& job) {
  auto server = session::open(p.options);
  if (!server)
    return p.fail(server.error());
  auto raw = json{};
  auto view = server->get<job_view>("/jobs/" + to_string(job), &raw);
  if (!view)
    return p.fail(view.error());
  if (p.options.json)
    return write_line(p.io, json_text(raw));
  p.io.out << job_text(p.io, *view, now());
}

} // namespace

void add_show(program& p) {
  auto job = std::make_shared<job_id>();
  auto verb = p.verb("show", "Show one job with its runs and stages",
                     "  troupe show 01970a5e-7f3c-7a10-8a55-0123456789ab\n"
                     "  troupe show JOB --json | jq .result\n");
  add_job(*verb, *job);
  verb->callback([&p, job] { show(p, *job); });
}

} // namespace troupe::cli
