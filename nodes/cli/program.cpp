#include "nodes/cli/program.hpp"

#include "config/printable.hpp"
#include "config/units.hpp"
#include "nodes/cli/exit_code.hpp"
#include "nodes/cli/usage_fault.hpp"

#include <CLI/CLI.hpp>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <ostream>

namespace troupe::cli {

namespace {

constexpr auto exit_codes =
  "Exit codes: 0 pass, 1 fail, 2 bad input, 3 server unreachable, 4 error, 5 timeout, 6 canceled,\n"
  "7 not authorized, 8 not found, 130 interrupted (the job goes on).";

void add_common(program& p) {
  auto& o = p.options;
  p.app
    .add_option(
      "--server", o.server,
      "Address of a node (default: the one with the data folder, else http://127.0.0.1:8000)")
    ->envname("TROUPE_SERVER");
  p.app.add_option("--token-file", o.token_file,
                   "File with a token (else TROUPE_TOKEN, else made from the local node's secret)");
  p.app.add_option(
    "--data", o.data,
    "Data folder of the node on this machine (else TROUPE_DATA, else ./troupe-data)");
  p.app.add_flag("--json", o.json,
                 "Print JSON: one value, or one line per change for what is followed");
  p.app
    .add_option_function<std::string>(
      "--timeout",
      [&o](const std::string& text) {
        auto limit = parse_duration(text);
        if (!limit)
          throw CLI::ValidationError{"--timeout", "must be a duration with a unit, as \"10m\""};
        o.timeout = *limit;
      },
      "How long a node may be away while it is followed")
    ->default_str("10m");
}

/// CLI11 prints a usage error with a hint; ours is one line and always exit code 2.
int refuse(program& p, const CLI::ParseError& e, const std::vector<std::string>& arguments) {
  if (e.get_exit_code() == 0)
    return p.app.exit(e, p.io.out, p.io.err);
  // Where parsing ended early the flag may not have been reached.
  auto end = std::find(arguments.begin(), arguments.end(), "--");
  p.options.json = std::find(arguments.begin(), end, "--json") != end;
  p.fail(usage_fault(p.app, e));
  p.io.err << "Try --help.\n";
  return p.exit_code;
}

/// Whether standard output is a pipe that nobody reads any more ("troupe ls | head").
bool reader_left() {
  auto out = pollfd{STDOUT_FILENO, 0, 0};
  return poll(&out, 1, 0) == 1 && (out.revents & POLLERR) != 0;
}

/// A full disk behind standard output must not look like success.
void check_output(program& p) {
  p.io.out.flush();
  if (p.io.out || reader_left())
    return;
  p.io.err << "troupe: standard output: cannot be written\n";
  if (p.exit_code == exit_code::pass)
    p.exit_code = exit_code::bad_input;
}

} // namespace

program::program(terminal where)
  : app{"Tests packages in throw-away containers and shows what became of them.", "troupe"},
    io{where} {
  app.require_subcommand(1);
  app.fallthrough();
  app.set_version_flag("--version", "troupe 0.1.0");
  app.footer(
    std::string{
      "Examples:\n"
      "  troupe submit hello --dist debian:12     test a package and wait for the verdict\n"
      "  troupe ls --state running                what runs now\n"
      "  troupe logs JOB --follow                 the log as it grows\n\n"}
    + exit_codes);
  app.get_formatter()->column_width(32);
}

CLI::App* program::verb(const std::string& name, const std::string& what,
                        const std::string& examples) {
  auto out = app.add_subcommand(name, what);
  out->footer("Examples:\n" + examples);
  return out;
}

void program::fail(const caf::error& why) {
  if (options.json)
    write_line(io, json_text({{"error", error_json(why)}}));
  io.err << "troupe: " << printable(one_line(why), "\n") << '\n';
  exit_code = exit_code_of(why);
}

json error_json(const caf::error& why) {
  auto parts = explain(why);
  return {{"code", to_string(parts.code)}, {"place", parts.place}, {"message", parts.text}};
}

void write_line(const terminal& io, const std::string& json) {
  io.out << json << '\n' << std::flush;
}

int run_client(const std::vector<std::string>& arguments, const terminal& io) {
  auto p = program{io};
  add_common(p);
  for (auto add : {add_submit, add_watch,      add_ls,      add_show,     add_logs,    add_cancel,
                   add_retry,  add_artifacts,  add_objects, add_machines, add_preload, add_runners,
                   add_queues, add_queue,      add_nodes,   add_stats,    add_token,   add_cluster,
                   add_config, add_completion, add_version})
    add(p);
  // CLI11 takes the arguments from the back.
  auto reversed = std::vector<std::string>{arguments.rbegin(), arguments.rend()};
  try {
    p.app.parse(std::move(reversed));
  } catch (const CLI::ParseError& e) {
    return refuse(p, e, arguments);
  }
  check_output(p);
  return p.exit_code;
}

} // namespace troupe::cli
