#include "config/printable.hpp"
#include "nodes/cli/exit_code.hpp"
#include "nodes/cli/job_argument.hpp"
#include "nodes/cli/program.hpp"
#include "nodes/cli/session.hpp"

#include <CLI/CLI.hpp>

#include <ostream>

namespace troupe::cli {

namespace {

/// Cancels each one, also when another one failed; the last failure decides the exit code.
void cancel(program& p, const std::vector<job_id>& jobs) {
  auto server = session::open(p.options);
  if (!server)
    return p.fail(server.error());
  auto all = json::array();
  for (const auto& job : jobs) {
    auto raw = server->post("/jobs/" + to_string(job) + "/cancel", json{});
    auto was = raw ? session::as<job_status>(*raw) : caf::expected<job_status>{raw.error()};
    if (!was) {
      p.exit_code = exit_code_of(was.error());
      p.io.err << "troupe: " << to_string(job) << ": " << printable(one_line(was.error())) << '\n';
      all.push_back({{"job_id", to_string(job)}, {"error", error_json(was.error())}});
      continue;
    }
    all.push_back(std::move(*raw));
    if (p.options.json)
      continue;
    p.io.out << to_string(job) << ' ';
    if (was->state == job_state::finished)
      p.io.out << "is finished: " << name_of(was->result) << '\n';
    else
      p.io.out << "cancel requested (was " << name_of(was->state) << ")\n";
  }
  if (p.options.json)
    write_line(p.io, json_text(all));
}

} // namespace

void add_cancel(program& p) {
  auto jobs = std::make_shared<std::vector<job_id>>();
  auto verb = p.verb("cancel", "End jobs; running ones are stopped within seconds",
                     "  troupe cancel JOB\n"
                     "  troupe cancel $(troupe ls --state queued --package bash --quiet)\n");
  add_jobs(*verb, *jobs);
  verb->callback([&p, jobs] { cancel(p, *jobs); });
}

} // namespace troupe::cli
