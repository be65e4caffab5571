#include "nodes/cli/interrupt_note.hpp"
#include "nodes/cli/job_argument.hpp"
#include "nodes/cli/job_text.hpp"
#include "nodes/cli/log_stream.hpp"
#include "nodes/cli/program.hpp"

#include <CLI/CLI.hpp>

#include <ostream>

namespace troupe::cli {

namespace {

struct logs_options {
  job_id job;
  log_choice what;
  bool follow = false;
  bool raw = false;
};

void print(program& p, const logs_options& in, session& server) {
  auto text = read_log(server, in.job, in.what);
  if (!text)
    return p.fail(text.error());
  if (p.options.json)
    return write_line(p.io, json_text({{"job_id", to_string(in.job)}, {"text", *text}}));
  p.io.out << (in.raw ? *text : log_text(*text)) << std::flush;
}

void follow(program& p, const logs_options& in, session& server) {
  auto note = interrupt_note{"\n"};
  auto printer = log_printer{p.io, in.raw};
  auto why = follow_log(p.options, server, in.job, in.what, [&](const log_piece& piece) {
    if (p.options.json)
      write_line(p.io, json_text(write_json(piece)));
    else
      p.io.out << printer.text_of(piece) << std::flush;
    return static_cast<bool>(p.io.out);
  });
  if (why)
    p.fail(why);
}

void logs(program& p, const logs_options& in) {
  auto server = session::open(p.options);
  if (!server)
    return p.fail(server.error());
  if (in.follow)
    follow(p, in, *server);
  else
    print(p, in, *server);
}

} // namespace

void add_logs(program& p) {
  auto in = std::make_shared<logs_options>();
  auto verb = p.verb("logs", "Print the log of a job's last run",
                     "  troupe logs JOB\n"
                     "  troupe logs JOB --stage install_package --run 0\n"
                     "  troupe logs JOB --follow\n");
  add_job(*verb, in->job);
  verb->add_option("--stage", in->what.stage, "Only of this stage");
  verb->add_option("--run", in->what.run, "Of this run (default: the last one)");
  verb->add_flag("-f,--follow", in->follow, "Wait for more until the job is finished");
  verb->add_flag("--raw", in->raw, "Do not escape control characters");
  verb->callback([&p, in] { logs(p, *in); });
}

} // namespace troupe::cli
