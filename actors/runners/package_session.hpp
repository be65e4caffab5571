#pragma once

#include "actors/runners/package_test.hpp"

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

namespace troupe {

/// What one stage came to.
struct stage_end {
  reason why = reason::none;
  int32_t exit_code = 0;
  std::string note{};
  std::string output{}; ///< TAP, at most 64 KiB.
  bool skipped = false; ///< A success that proves nothing.

  explicit operator bool() const {
    return why == reason::none;
  }
};

/// One command of a stage.
struct step {
  std::vector<std::string> argv{};
  std::string shown{};                  ///< How the log names it; empty = `argv`.
  std::vector<std::string> variables{}; ///< "NAME=value".
  std::string work_dir = "/";
  std::chrono::milliseconds limit{0}; ///< 0 = what the stage has left.
  std::function<void(std::string_view)> on_stdout{};
  std::function<void(std::string_view)> on_stderr{};
  bool logged = true; ///< Its output enters the log.
};

/// What the stages of one run share: the environment, the open log, the limits.
///
/// Threads: one.
class package_session {
public:
  package_session(const test_spec& spec, const package_test_options& options, run_sink& sink,
                  std::stop_token stop, caf::timespan deadline);

  const test_spec& spec;
  const package_test_options& options;

  /// Gives the session its environment.
  void enter(environment_ptr machine);
  /// Takes the environment away, to remove it.
  environment_ptr leave();

  /// Starts the clock of a stage.
  void open_stage(std::chrono::milliseconds limit);

  /// Runs a command within the limits of stage and run, its output into the log.
  command_result run(const step& what);

  /// As `run`; keeps at most 16 MiB of its standard output in `out`.
  command_result run(step what, std::string& out);

  /// Returns how a stage ends by `result`: `otherwise` if the command itself failed.
  /// `what` names the command in the note.
  stage_end judge(const command_result& result, reason otherwise, std::string_view what) const;

  /// Runs a command that fetches packages and judges it. What could not be fetched is the
  /// network's fault, not the package's: `reason::repo_unreachable`.
  stage_end must_fetch(step what, reason otherwise, std::string_view name);

  /// Runs a command and judges it.
  stage_end must(const step& what, reason otherwise, std::string_view name);

  stage_end put(const std::vector<environment_file>& files);
  caf::error get(const std::string& path, uint64_t bytes_per_file,
                 const std::function<bool(const archive_entry&)>& each);

  /// Writes one line into the open log.
  void say(std::string_view line);

  /// Returns why nothing further may start, if so.
  reason over() const;

  /// True if the open stage has had its time.
  bool is_stage_over() const {
    return clock::now() >= stage_end_;
  }

  bool canceled() const {
    return stop_.stop_requested();
  }
  std::stop_token stop() const {
    return stop_;
  }
  run_sink& sink() {
    return sink_;
  }

private:
  using clock = std::chrono::steady_clock;

  run_sink& sink_;
  std::stop_token stop_;
  environment_ptr machine_;
  clock::time_point run_end_;
  clock::time_point stage_end_;
  bool run_is_over_ = false; ///< A command was killed because the run's time was over.
};

/// Returns the note of a limit: "10m".
std::string limit_text(std::chrono::milliseconds limit);

} // namespace troupe
