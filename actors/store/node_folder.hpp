#pragma once

#include "messages/error.hpp"

#include <caf/expected.hpp>

#include <string>

namespace troupe {

/// A node's private folder, held by this process as long as the object lives:
/// two nodes on one folder would spoil each other's files.
class node_folder {
public:
  /// Makes the folder (0700) if it is absent, and takes it. Errors: `ec::unavailable`
  /// (cannot be made; another node uses it, with its process id).
  static caf::expected<node_folder> take(const std::string& path);

  node_folder() = default;
  ~node_folder();
  node_folder(node_folder&& other) noexcept;
  node_folder& operator=(node_folder&& other) noexcept;

private:
  explicit node_folder(int lock) : lock_{lock} {}

  int lock_ = -1;
};

} // namespace troupe
