#pragma once

#include "actors/owned_fd.hpp"
#include "messages/error.hpp"

#include <sys/types.h>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace troupe {

/// A program of this host in a process group of its own, that reads a prepared
/// input and writes two streams. Destroying it kills the whole group and reaps it.
///
/// The program gets nothing of this process but the two pipes: no descriptors,
/// no variables, no blocked signals. Threads: one.
class exec_process {
public:
  /// Starts `argv` with exactly these "NAME=value" variables. Errors: `ec::unavailable`.
  static caf::expected<exec_process> start(const std::vector<std::string>& argv,
                                           const std::vector<std::string>& variables,
                                           const std::string& input);
  exec_process(exec_process&& other) noexcept = default;
  exec_process& operator=(exec_process&&) = delete;
  ~exec_process();

  /// Waits for output, the end, or `wake` becoming readable, at most until `end`.
  void wait(int wake, std::chrono::steady_clock::time_point end);

  /// Reads what there is, never blocks; empty when there is nothing (more).
  std::string read_output();
  std::string read_errors();

  /// True when the program has ended; what it left in its group is killed then.
  bool has_ended();
  /// True when it has ended and all its output was read.
  bool is_drained() const {
    return !output_ && !errors_;
  }

  /// Sends a signal to the whole group.
  void signal(int number);

  /// Returns "exit code 3" or "signal 9", once it has ended.
  std::string describe_end() const;

private:
  struct owned_pid {
    owned_pid() = default;
    owned_pid(owned_pid&& other) noexcept : value{std::exchange(other.value, -1)} {}
    pid_t value = -1;
  };

  exec_process() = default;
  void reap();

  owned_pid child_;
  owned_fd ended_; ///< A pidfd: readable when the program has ended.
  owned_fd output_;
  owned_fd errors_;
  int status_ = 0;
  bool reaped_ = false;
};

} // namespace troupe
