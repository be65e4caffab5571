#pragma once

#include "actors/runners/docker/engine_client.hpp"
#include "actors/runners/docker/engine_stream.hpp"
#include "actors/runners/environment.hpp"

namespace troupe {

/// Runs one command in a container and sees to its end.
///
/// The engine's API has no call that kills an exec, so the command starts under a
/// wrapper that notes its process group in a file, and a second exec sends the
/// signals: TERM at the limit or a stop, KILL to everything but the main process
/// 5 s or 1 s later, at last KILL to the container. Source: spec/testing.md 5.5, 5.6.
class container_exec {
public:
  container_exec(engine_client& engine, const std::string& container, uint64_t number);

  command_result run(const command& what, std::stop_token stop,
                     const std::function<void(int, std::string_view)>& out);

private:
  using clock = std::chrono::steady_clock;
  enum class phase : uint8_t { running, terminating, killing, container_killed };

  caf::error start(const command& what, const call_limit& limit);
  /// Reads output until the stream has ended, driving the phases.
  void follow(std::stop_token stop);
  void take(std::string_view bytes);
  /// Moves to the next phase and does what it asks for.
  void escalate();
  void terminate(bool canceled);
  bool ended_behind_the_stream();
  command_result finish();
  command_result lost(std::string why) const;

  engine_client& engine_;
  const std::string& container_;
  std::string pid_file_;
  std::string exec_;
  engine_connection line_;
  engine_stream frames_;
  const std::function<void(int, std::string_view)>* out_ = nullptr;
  std::string head_of_errors_; ///< First bytes of stderr: the engine reports there too.
  phase phase_ = phase::running;
  clock::time_point phase_end_;
  std::optional<clock::time_point> ended_at_; ///< Main process gone, stream still open.
  bool canceled_ = false;
  bool timed_out_ = false;
  caf::error broken_;
};

/// Runs a command of our own without a wrapper and returns its exit code; `out`
/// gets its stdout, at most 64 KiB. Errors: `ec::gone` (the container does not run),
/// `ec::unavailable` (the engine could not start it), `ec::timeout`, `ec::canceled`.
caf::expected<int> run_plain(engine_client& engine, const std::string& container,
                             const std::vector<std::string>& argv, const call_limit& limit,
                             std::string& out);

} // namespace troupe
