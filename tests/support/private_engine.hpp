#pragma once

#include "tests/support/child_process.hpp"
#include "tests/support/temp_folder.hpp"

#include <memory>
#include <string>

namespace troupe::tests {

/// A Podman service on a private socket, with the image debian:12. It uses the
/// machine's image storage; tests tell their containers apart by runner names.
class private_engine {
public:
  /// Throws with the name of the package if a part is missing.
  private_engine();
  ~private_engine();

  const std::string& socket() const {
    return socket_;
  }

  /// Ends the service, containers live on; `start` brings it back.
  void stop();
  void start();

  /// Returns the engine that the tests of this program share.
  static private_engine& shared();

private:
  temp_folder folder_;
  std::string socket_;
  std::unique_ptr<child_process> service_;
};

/// Returns a runner name that no other test and no other process uses.
std::string unique_runner();

} // namespace troupe::tests
