#pragma once

#include "actors/runners/runner_driver.hpp"

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace troupe {

/// Understands what an external runner writes, one JSON object a line, and passes
/// it on to the sink. Source: docs/adding-a-runner.md, "exec".
///
/// A line that is not understood is the end: `fault()` says why.
class exec_protocol {
public:
  /// `read_file` returns the content of a file that an artifact line names.
  using file_reader = std::function<caf::expected<std::string>(const std::string& path)>;

  exec_protocol(run_sink& sink, file_reader read_file);

  /// Takes the next bytes of the program's output.
  void feed(std::string_view bytes);
  /// Takes a piece of its error stream, for the log of the open stage.
  void feed_errors(std::string_view bytes);
  /// Ends the open stage, if there is one.
  void finish(reason why);

  const std::optional<run_outcome>& outcome() const {
    return outcome_;
  }
  const std::string& fault() const {
    return fault_;
  }

private:
  struct line;
  void take(std::string_view text);
  void start_stage(const line& what);
  void finish_stage(const line& what);
  void keep_artifact(const line& what);
  void take_result(const line& what);

  run_sink& sink_;
  file_reader read_file_;
  std::string partial_;
  std::string open_stage_;
  std::string early_errors_; ///< Came while no stage was open.
  std::optional<run_outcome> outcome_;
  std::string fault_;
};

} // namespace troupe
