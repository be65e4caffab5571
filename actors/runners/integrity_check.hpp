#pragma once

#include "actors/runners/package_family.hpp"

namespace troupe {

/// Checks that a package is installed, in the version asked for, that all its
/// files exist, that no symlink dangles, that every shared library is there and
/// that no library search path has an empty element.
/// Source: spec/testing.md 2.4, 5.9.
stage_end check_integrity(package_session& s, package_family& family);

/// What one line of the listing script says of a path.
struct listed_file {
  enum class type : uint8_t { file, elf, folder, link, dangling, other, missing };
  type what = type::missing;
  std::string target; ///< Of a dangling link.
};

/// Reads the answer of the listing script; it has one line per path.
/// Errors: `ec::corrupt`.
caf::expected<std::vector<listed_file>> read_listing(std::string_view text, size_t paths);

} // namespace troupe
