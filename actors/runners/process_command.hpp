#pragma once

#include "actors/runners/run_clock.hpp"
#include "actors/runners/runner_driver.hpp"
#include "messages/object.hpp"

#include <string>
#include <vector>

namespace troupe {

/// A program that does the work of tasks: a task's JSON on its standard input, the
/// result's JSON on its standard output, an exit code other than 0 for a failure.
///
/// Threads: any; `run` by the thread of the run.
class process_command {
public:
  /// `marks` is the folder for notes of what runs; empty = none.
  process_command(std::vector<std::string> argv, std::vector<std::string> variables,
                  std::string marks);

  /// Errors: `ec::unavailable`.
  caf::error check() const;
  run_outcome run(const run_order& order, const process_spec& spec, const run_clock& clock,
                  const std::stop_token& stop) const;
  /// Kills what dead runs left.
  void sweep() const;

private:
  std::vector<std::string> argv_;
  std::vector<std::string> variables_;
  std::string marks_;
};

} // namespace troupe
