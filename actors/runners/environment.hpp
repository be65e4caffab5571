#pragma once

#include "messages/error.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace troupe {

/// One command in an environment.
struct command {
  std::vector<std::string> argv;      ///< Executed as is, no shell in between.
  std::vector<std::string> variables; ///< "NAME=value", added to the environment's own.
  std::string work_dir = "/";
  std::chrono::seconds limit{600}; ///< Then TERM, 5 s of grace, KILL.
};

/// How a command ended.
struct command_result {
  enum class end : uint8_t {
    exited,    ///< `exit_code` is its own.
    timed_out, ///< Killed at `limit`; nothing of it is left.
    canceled,  ///< Killed by the stop token within 2 s.
    infra,     ///< It could not be started by no fault of its own (engine's 125).
    lost,      ///< The environment is gone.
  };
  end how = end::exited;
  int32_t exit_code = 0; ///< 126, 127: not executable, not found.
  bool out_of_memory = false;
  std::string detail; ///< For `infra` and `lost`.
};

/// A file to put into an environment.
struct environment_file {
  std::string path; ///< Absolute.
  uint32_t mode = 0644;
  std::string bytes;
};

/// One entry of a folder or file that was read back.
struct archive_entry {
  enum class type : uint8_t { file, folder, symlink, other };
  std::string path; ///< Relative to the parent of what was asked for.
  type what = type::file;
  uint32_t mode = 0;
  uint64_t size = 0;
  std::string link_target;
  std::string bytes; ///< Content of a file, cut at the caller's limit.
};

/// A throw-away machine (container) in which a package is tested.
///
/// Threads: one thread at a time. Destroying the object removes the machine.
class environment {
public:
  virtual ~environment() = default;

  /// Runs a command; `out` sees stdout (1) and stderr (2) as they come.
  virtual command_result exec(const command& what, std::stop_token stop,
                              const std::function<void(int, std::string_view)>& out) = 0;

  /// Puts files, making folders as needed. Errors: `ec::unavailable`.
  virtual caf::error put(const std::vector<environment_file>& files) = 0;

  /// Reads a file or folder back, following no symlink; `each` may return false to stop.
  /// At most `bytes_per_file` of each file are kept. Errors: `ec::not_found`, `ec::unavailable`,
  /// `ec::too_large`.
  virtual caf::error get(const std::string& path, uint64_t bytes_per_file,
                         const std::function<bool(const archive_entry&)>& each) = 0;

  /// Removes the machine. Errors: `ec::unavailable` (the reaper tries again).
  virtual caf::error destroy() = 0;
};

using environment_ptr = std::unique_ptr<environment>;

} // namespace troupe
