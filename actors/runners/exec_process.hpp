#pragma once

#include "actors/owned_fd.hpp"
#include "actors/runners/child_start.hpp"
#include "messages/error.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <utility>

namespace troupe {

/// A program of this host in a session of its own, that reads a prepared
/// input and writes two streams. Destroying it kills its whole process group and reaps it;
/// the program itself also dies with this process, however that ends.
///
/// The program gets nothing of this process but the pipes: no descriptors,
/// no variables, no blocked signals. Threads: the one that started it, from start to end.
class exec_process {
public:
  /// Where the program's second stream goes.
  enum class streams { two, together };

  /// Errors: `ec::unavailable`.
  static caf::expected<exec_process> start(const child_order& what, const std::string& input,
                                           streams how = streams::two);
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
  /// Returns the exit code, 128 + n if signal n ended it.
  int32_t exit_code() const;

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
