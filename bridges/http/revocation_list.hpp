#pragma once

#include "messages/error.hpp"

#include <chrono>
#include <mutex>
#include <string>
#include <unordered_set>

namespace troupe {

/// The token ids in a file, one a line, '#' begins a comment. The file is looked
/// at once a second and read again when it has changed; one that cannot be read
/// any more leaves the list as it was.
///
/// Threads: any.
class revocation_list {
public:
  /// An empty path revokes nothing.
  explicit revocation_list(std::string path) : path_{std::move(path)} {}

  /// Reads the file for the first time. Errors: `ec::invalid_config`.
  caf::error load();

  bool contains(const std::string& token_id);

private:
  struct stamp {
    int64_t seconds = -1;
    int64_t nanoseconds = 0;
    int64_t size = 0;
    uint64_t inode = 0;
    bool operator==(const stamp&) const = default;
  };

  static stamp stamp_of(const std::string& path);
  bool read();

  const std::string path_;
  std::mutex mutex_;
  std::unordered_set<std::string> ids_;
  stamp read_;
  std::chrono::steady_clock::time_point next_look_{};
};

} // namespace troupe
