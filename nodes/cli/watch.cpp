#include "nodes/cli/follow.hpp"
#include "nodes/cli/job_argument.hpp"
#include "nodes/cli/program.hpp"

#include <CLI/CLI.hpp>

namespace troupe::cli {

namespace {

struct watch_options {
  job_id job;
  follow_options how;
};

void watch(program& p, const watch_options& in) {
  auto server = session::open(p.options);
  if (!server)
    return p.fail(server.error());
  p.exit_code = follow_job(p.io, p.options, *server, in.job, in.how);
}

} // namespace

void add_watch(program& p) {
  auto in = std::make_shared<watch_options>();
  auto verb = p.verb("watch", "Follow a job to its verdict; the exit code says which",
                     "  troupe watch JOB\n"
                     "  troupe watch JOB --log\n"
                     "  troupe watch JOB --json        one line per change\n");
  add_job(*verb, in->job);
  auto log = verb->add_flag("--log", in->how.log, "Also show the log as it grows");
  verb->add_flag("--raw", in->how.raw, "Do not escape control characters of the log")->needs(log);
  verb->callback([&p, in] { watch(p, *in); });
}

} // namespace troupe::cli
