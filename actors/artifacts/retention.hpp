#pragma once

#include "actors/artifacts/artifact_folder.hpp"

#include <chrono>
#include <vector>

namespace troupe {

/// How long closed artifacts stay.
struct retention_limits {
  std::chrono::milliseconds age{
    std::chrono::hours{24 * 30}}; ///< Of the newest file of a job; 0 = for ever.
  uint64_t size = 20ull << 30;    ///< Bytes on disk of all jobs; 0 = no limit.
};

/// Removes the artifacts of jobs that are too old, then of the oldest ones until
/// the rest fits. Jobs with an open artifact stay. Returns how many were removed.
/// Blocks. Threads: one at a time.
size_t remove_expired(const artifact_folder& folder, const retention_limits& limits);

/// Removes half-written files. Blocks. Threads: before the first artifact is closed.
void remove_half_written(const artifact_folder& folder);

/// Returns the open artifacts whose last write is older than this. Blocks.
std::vector<artifact_key> find_silent(const artifact_folder& folder,
                                      std::chrono::milliseconds silence);

} // namespace troupe
