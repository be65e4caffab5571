#pragma once

#include "actors/runners/environment.hpp"

#include <caf/expected.hpp>

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe {

/// Returns a tar with these files, owner root, paths relative to "/". It ends with
/// exactly two zero blocks: more would be left unread by the engine, which then
/// resets the connection. Errors: `ec::invalid_argument`. Source: spec/testing.md 5.8.
caf::expected<std::string> write_tar(const std::vector<environment_file>& files);

/// What a tar from a container may be; it is hostile input.
struct tar_limits {
  uint64_t bytes = uint64_t{2} << 30; ///< Of the whole stream.
  uint64_t entries = 100'000;
  uint64_t kept_per_file = uint64_t{1} << 20;
};

/// Reads a tar entry by entry, never touching the disk. `more` returns the next
/// bytes, empty at the end; `each` may return false to stop.
/// Errors: `ec::too_large`, `ec::corrupt`.
caf::error read_tar(const tar_limits& limits, const std::function<std::string_view()>& more,
                    const std::function<bool(const archive_entry&)>& each);

} // namespace troupe
