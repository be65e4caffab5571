#pragma once

#include "actors/runners/environment.hpp"
#include "tests/support/temp_folder.hpp"

namespace troupe::tests {

/// A flat repository of Debian packages, built once with dpkg-deb and gcc:
/// troupe-good, troupe-bad (three broken files) and troupe-slow (its
/// installation never ends). Throws with the name of the Debian package if a tool is missing.
class package_repository {
public:
  package_repository();

  /// Returns its files as they are to be in an environment, below /srv/repo, and an empty
  /// list of other sources: the environment needs no network.
  const std::vector<environment_file>& files() const {
    return files_;
  }

  static package_repository& shared();

private:
  void build(const std::string& name);

  temp_folder folder_;
  std::vector<environment_file> files_;
};

} // namespace troupe::tests
