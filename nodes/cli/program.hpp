#pragma once

#include "messages/json.hpp"
#include "nodes/cli/settings.hpp"
#include "nodes/cli/terminal.hpp"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include <functional>
#include <string>
#include <vector>

/// The client `troupe`: one file per verb.
namespace troupe::cli {

/// What the verbs share: where to write, whom to call, what to tell the caller.
struct program {
  explicit program(terminal where);

  CLI::App app;
  settings options;
  terminal io;
  int exit_code = 0;

  /// Adds a verb; `examples` are lines "command    what it does".
  CLI::App* verb(const std::string& name, const std::string& what, const std::string& examples);

  /// Says what went wrong and remembers the exit code.
  void fail(const caf::error& why);
};

/// Returns {code, place, message}.
json error_json(const caf::error& why);

/// Writes one JSON value as a line.
void write_line(const terminal& io, const std::string& json);

void add_submit(program& p);
void add_watch(program& p);
void add_ls(program& p);
void add_show(program& p);
void add_logs(program& p);
void add_cancel(program& p);
void add_retry(program& p);
void add_artifacts(program& p);
void add_objects(program& p);
void add_machines(program& p);
void add_preload(program& p);
void add_runners(program& p);
void add_queues(program& p);
void add_queue(program& p);
void add_nodes(program& p);
void add_stats(program& p);
void add_token(program& p);
void add_cluster(program& p);
void add_config(program& p);
void add_completion(program& p);
void add_version(program& p);

/// Runs the client with arguments (without the program's name); returns the exit code.
int run_client(const std::vector<std::string>& arguments, const terminal& io);

} // namespace troupe::cli
