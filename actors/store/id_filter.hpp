#pragma once

#include <rocksdb/compaction_filter.h>

#include <atomic>
#include <cstdint>
#include <memory>

namespace troupe {

/// Since when ids count; set by the journal, read by compactions.
struct id_window {
  std::atomic<uint64_t> from_ordinal = 0;
  std::atomic<int64_t> since = 0; ///< Nanoseconds since the epoch.
};

/// Returns what lets compactions of the family `ids` drop ids that no longer count.
std::shared_ptr<rocksdb::CompactionFilterFactory>
make_id_filter(std::shared_ptr<const id_window> window);

} // namespace troupe
