#pragma once

#include "actors/artifacts/spool.hpp"
#include "messages/artifact.hpp"

#include <string>
#include <vector>

namespace troupe {

/// A closed artifact at rest: gzip members of 1 MiB of content each, then an
/// empty member whose extra field holds the index, its length in the last bytes.
/// `zcat` reads it as it is; a ranged read inflates only the blocks it needs.
/// Source: RFC 1952 2.2, 2.3.1.1.
struct packed_index {
  uint64_t length = 0;    ///< Bytes of content, the marker of a cut included.
  uint64_t cut_begin = 0; ///< Content before it has the offsets of the stream ...
  uint64_t resume = 0;    ///< ... and after it begins at this offset of the stream.
  std::string sha256;     ///< Of the content, 32 raw bytes.
  bool truncated = false;
  std::vector<uint32_t> blocks; ///< Sizes of the members in the file.
  uint64_t stored = 0;          ///< Of the file; not part of the index.

  /// One past the last offset of the stream.
  uint64_t end() const {
    return resume + (length - cut_begin);
  }
  artifact_ref describe(std::string name) const;

  static constexpr auto type_name = "troupe::packed_index";
  static constexpr auto fields = std::tuple{
    field{"length", &packed_index::length},       field{"cut_begin", &packed_index::cut_begin},
    field{"resume", &packed_index::resume},       field{"sha256", &packed_index::sha256},
    field{"truncated", &packed_index::truncated}, field{"blocks", &packed_index::blocks},
  };
};

/// Compresses a whole spool into `out`, with a line that tells of the cut between
/// head and tail, and makes it durable. Errors: `ec::disk_full`, `ec::unavailable`, `ec::corrupt`.
caf::expected<packed_index> pack_spool(const spool& from, int out);

/// Reads the index of a packed file. Errors: `ec::corrupt`, `ec::unavailable`.
caf::expected<packed_index> read_packed_index(int file);

/// Returns the content of one block. Errors: `ec::corrupt`, `ec::unavailable`.
caf::expected<std::string> read_packed_block(int file, const packed_index& index, size_t block);

inline constexpr auto packed_block_size = uint64_t{1} << 20;

} // namespace troupe
