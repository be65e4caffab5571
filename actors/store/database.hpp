#pragma once

#include "actors/store/disk_guard.hpp"
#include "actors/store/families.hpp"
#include "actors/store/write_batch.hpp"
#include "actors/store/write_times.hpp"
#include "messages/error.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace rocksdb {
class FileSystem;
}

namespace troupe {

/// Sizes are bytes. The defaults keep an idle node under 40 MB and a busy one bounded.
struct database_options {
  uint64_t write_buffer = 16 << 20;      ///< Of one family, before it is flushed to a file.
  uint64_t all_write_buffers = 64 << 20; ///< Of all families together.
  uint64_t log_size = 128 << 20;         ///< Of the write-ahead logs together.
  uint64_t table_file = 16 << 20;        ///< Of one table file.
  uint64_t block_cache = 8 << 20;
  int open_files = 256;
  std::chrono::seconds id_sweep{86'400}; ///< So often files are searched for forgotten ids.
  std::shared_ptr<disk_guard> guard;     ///< Asked before each write; may be null.
  std::shared_ptr<rocksdb::FileSystem> file_system; ///< Null = the system's. For fault tests.
};

/// When a write returns.
enum class durability : uint8_t {
  lazy,   ///< In memory and in the log; the next `synced` write of anybody makes it durable.
  synced, ///< After fsync.
};

/// Keys in [from, to); an empty `to` = to the end.
struct key_range {
  std::string from;
  std::string to;
  bool reverse = false; ///< Last key first.
};

/// Takes a key and its value, valid during the call only; returns false to stop.
using visit_entry = std::function<bool(std::string_view key, std::string_view value)>;

/// The one database of a node.
///
/// After a failed write nothing more is written: what the disk holds is unknown
/// until the database is opened again (a failed fsync is never retried).
///
/// Threads: any; every call may block on the disk.
class database {
public:
  /// Opens or creates the database in `folder`. Errors: `ec::unsupported` (newer
  /// format), `ec::corrupt`, `ec::disk_full` (no room to recover), `ec::unavailable`
  /// (locked by another process, I/O).
  static caf::expected<std::shared_ptr<database>> open(const std::string& folder,
                                                       database_options options = {});
  ~database();
  database(const database&) = delete;
  database& operator=(const database&) = delete;

  /// Errors: `ec::disk_full` (nothing was written, try later), `ec::unavailable` (see above).
  caf::error write(write_batch& batch, durability when, write_kind kind = write_kind::derived);

  /// Returns the value of a key. Errors: `ec::corrupt`, `ec::unavailable`.
  caf::expected<std::optional<std::string>> get(family where, std::string_view key) const;

  /// Returns the values of keys, in their order. Errors: as `get`.
  caf::expected<std::vector<std::optional<std::string>>>
  multi_get(family where, std::span<const std::string_view> keys) const;

  /// Visits a range on a snapshot of now. Errors: as `get`.
  caf::error scan(family where, const key_range& range, const visit_entry& visit) const;

  /// Returns roughly how many keys a family has.
  uint64_t estimated_keys(family where) const;
  /// Returns roughly how many bytes a range takes on disk and in memory.
  uint64_t estimated_bytes(family where, const key_range& range) const;

  /// Removes files that lie wholly in [from, to), so that erased space returns at once.
  caf::error drop_files(family where, const key_range& range);

  /// Writes what is in memory to table files, so that the next start replays no
  /// log. Errors: `ec::disk_full` (left as it is), `ec::unavailable`.
  caf::error flush();

  /// Tells from which ordinal on and since when (ns since the epoch) ids count;
  /// older ones vanish when their files are compacted.
  void keep_ids(uint64_t from_ordinal, int64_t since);

  /// How long writes took that went well.
  const write_times& times(durability of) const {
    return of == durability::synced ? synced_ : lazy_;
  }

  /// False after a failed write.
  bool sound() const;
  /// The guard given in the options, may be null.
  const std::shared_ptr<disk_guard>& guard() const;

private:
  friend class write_batch;
  struct parts;
  explicit database(std::unique_ptr<parts> p);

  std::unique_ptr<parts> parts_;
  write_times lazy_;
  write_times synced_;
};

/// Returns a number as a key.
std::string number_key(uint64_t x);

/// Returns the number of an 8-byte key, nothing for any other length.
std::optional<uint64_t> key_number(std::string_view key);

} // namespace troupe
