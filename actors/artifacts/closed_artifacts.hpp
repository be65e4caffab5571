#pragma once

#include "actors/artifacts/artifact_folder.hpp"
#include "actors/artifacts/packed_file.hpp"

#include <deque>
#include <memory>
#include <optional>
#include <string>

namespace troupe {

/// Turns an open artifact into a closed one: packs, syncs, renames; safe to
/// repeat after a crash at any point. Blocks. Errors: `ec::not_found`,
/// `ec::disk_full`, `ec::corrupt`, `ec::unavailable`. Threads: any, one per key.
caf::expected<artifact_ref> close_on_disk(const artifact_folder& folder, const artifact_key& key);

/// Reads closed artifacts, with the last few inflated blocks kept: a reader
/// asks for much less than a block at a time.
class closed_artifacts {
public:
  explicit closed_artifacts(std::shared_ptr<const artifact_folder> folder);

  /// Errors: `ec::not_found`, `ec::corrupt`, `ec::unavailable`, `ec::invalid_argument` (name).
  caf::expected<packed_index> describe(const artifact_key& key) const;

  /// Answers bytes from an offset of the stream. Errors: as `describe`.
  caf::expected<artifact_chunk> read(const read_artifact& what);

private:
  struct inflated {
    std::string key;
    size_t block = 0;
    std::string bytes;
  };

  /// Returns a block; it stays valid until the next call.
  caf::expected<const std::string*> block(const std::string& key, int file,
                                          const packed_index& index, size_t n);

  std::shared_ptr<const artifact_folder> folder_;
  std::deque<inflated> cache_;
};

} // namespace troupe
