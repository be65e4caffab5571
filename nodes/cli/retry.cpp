#include "nodes/cli/follow.hpp"
#include "nodes/cli/job_argument.hpp"
#include "nodes/cli/program.hpp"

#include <CLI/CLI.hpp>

#include <ostream>

namespace troupe::cli {

namespace {

struct retry_options {
  job_id job;
  bool no_wait = false;
  follow_options how;
};

void retry(program& p, const retry_options& in) {
  auto server = session::open(p.options);
  if (!server)
    return p.fail(server.error());
  auto raw = server->post("/jobs/" + to_string(in.job) + "/retry", json{});
  auto accepted = raw ? session::as<job_accepted>(*raw) : caf::expected<job_accepted>{raw.error()};
  if (!accepted)
    return p.fail(accepted.error());
  if (p.options.json)
    write_line(p.io, json_text(*raw));
  else
    p.io.out << "job " << to_string(accepted->job) << " retries " << to_string(in.job) << '\n';
  if (!in.no_wait)
    p.exit_code = follow_job(p.io, p.options, *server, accepted->job, in.how);
}

} // namespace

void add_retry(program& p) {
  auto in = std::make_shared<retry_options>();
  auto verb = p.verb("retry", "Submit a finished job again, as a new one",
                     "  troupe retry JOB\n"
                     "  troupe retry JOB --no-wait --json\n");
  add_job(*verb, in->job);
  auto no_wait = verb->add_flag("--no-wait", in->no_wait, "Do not follow it");
  verb->add_flag("--log", in->how.log, "Also show the log as it grows")->excludes(no_wait);
  verb->callback([&p, in] { retry(p, *in); });
}

} // namespace troupe::cli
