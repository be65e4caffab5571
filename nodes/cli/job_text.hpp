#pragma once

#include "messages/job.hpp"
#include "messages/run.hpp"
#include "nodes/cli/log_stream.hpp"
#include "nodes/cli/terminal.hpp"

#include <string>
#include <string_view>
#include <vector>

/// Jobs as text for people. Everything here is pure: the time is an argument,
/// and what a server sent is made printable.
namespace troupe::cli {

/// Returns the color of a verdict.
color color_of(verdict result);

/// Returns "queued", "running", or the verdict of a finished job.
std::string state_word(const job_view& job);

/// Returns the time from `from` to `to`, "" if either was never set.
std::string time_between(caf::timestamp from, caf::timestamp to);

/// Returns the line of one stage: mark, name, time, and what went wrong.
std::string stage_line(const terminal& io, const stage& what);

/// Returns "run 0 on host-1".
std::string run_title(const run& what);

/// Returns the last line of a followed job: "PASS  hello  in 41.2s".
std::string verdict_line(const terminal& io, const job_view& job);

/// Returns a table of jobs.
std::string jobs_table(const terminal& io, const std::vector<job_view>& jobs, caf::timestamp now);

/// Returns everything that is known of one job.
std::string job_text(const terminal& io, const job_view& job, caf::timestamp now);

std::string runners_table(const terminal& io, const runner_list& all, caf::timestamp now);
std::string queues_table(const terminal& io, const queue_list& all);
std::string artifacts_table(const terminal& io, const artifact_list& all);

/// Returns text of a log for a terminal: newlines and tabs stay, all else that
/// could steer the terminal is escaped.
std::string log_text(std::string_view bytes);

/// Turns the pieces of a live log into what is to be written: their text, and a
/// line before each stage. A stage's line begins a line, however the last one ended.
class log_printer {
public:
  log_printer(const terminal& io, bool raw) : io_{io}, raw_{raw} {}

  std::string text_of(const log_piece& piece);

  /// Returns what ends the line that is open, if one is.
  std::string end_line();

private:
  const terminal& io_;
  bool raw_;
  bool at_start_ = true;
};

} // namespace troupe::cli
