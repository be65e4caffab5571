#pragma once

#include "tests/support/child_process.hpp"
#include "tests/support/temp_folder.hpp"

#include <memory>
#include <string>
#include <vector>

namespace troupe::tests {

/// A Redis server of its own on 127.0.0.1, with a password, that stores nothing on disk.
class private_redis {
public:
  /// Starts the server and waits until it answers. Throws with the name of the package.
  private_redis();

  /// Returns its address for `--redis`.
  std::string url() const;

  /// Runs redis-cli and returns what it prints.
  std::string call(std::vector<std::string> words) const;

private:
  temp_folder folder_;
  uint16_t port_ = 0;
  std::unique_ptr<child_process> server_;
};

} // namespace troupe::tests
