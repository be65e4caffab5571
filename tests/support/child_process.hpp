#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace troupe::tests {

/// A program that the test started. Ends it (KILL) with the object.
class child_process {
public:
  /// Starts `argv` with extra "NAME=value" variables; stdout and stderr are
  /// appended to `output`. Throws if it cannot be started.
  child_process(const std::vector<std::string>& argv, const std::vector<std::string>& variables,
                const std::string& output);
  ~child_process();
  child_process(child_process&& other) noexcept;
  child_process& operator=(child_process&& other) noexcept;

  pid_t pid() const {
    return pid_;
  }
  void signal(int number);

  /// Returns the exit code, 128 + n if signal n ended it; nothing if it still runs after `limit`.
  std::optional<int> wait(std::chrono::milliseconds limit);

  /// Returns resident memory in MiB and consumed CPU time.
  double resident_mib() const;
  std::chrono::milliseconds cpu_time() const;

private:
  pid_t pid_ = -1;
};

/// Runs a program to its end and returns exit code and output.
struct finished_process {
  int exit_code = -1;
  std::string output;
};
finished_process run_process(const std::vector<std::string>& argv,
                             const std::vector<std::string>& variables = {},
                             std::chrono::seconds limit = std::chrono::seconds{120});

/// Awaits a condition; returns whether it came true in time.
template <class F>
bool await(std::chrono::milliseconds limit, F&& condition);

/// Sleeps a little between two looks at a condition.
void breathe();

template <class F>
bool await(std::chrono::milliseconds limit, F&& condition) {
  auto end = std::chrono::steady_clock::now() + limit;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end)
      return false;
    breathe();
  }
  return true;
}

} // namespace troupe::tests
