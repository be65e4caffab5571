#pragma once

#include <cstdint>
#include <string>

namespace troupe::tests {

/// Mounts an empty tmpfs of `bytes` on `folder`, seen by this process alone and
/// gone with it. Call it before any thread starts. Returns what went wrong, or empty.
std::string mount_small_disk(const std::string& folder, uint64_t bytes);

/// A file that takes all space but `leave` bytes, for as long as it lives.
class space_eater {
public:
  explicit space_eater(std::string path, uint64_t leave = 0);
  ~space_eater();
  space_eater(const space_eater&) = delete;
  space_eater& operator=(const space_eater&) = delete;

private:
  std::string path_;
};

} // namespace troupe::tests
