#include "actors/store/rocksdb_options.hpp"

#include "config/log.hpp"

#include <rocksdb/cache.h>
#include <rocksdb/convenience.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/table.h>
#include <rocksdb/write_buffer_manager.h>

#include <algorithm>
#include <array>
#include <cstdarg>
#include <cstdio>

namespace troupe {

namespace {

/// Passes RocksDB's warnings and errors to our log.
class store_log final : public rocksdb::Logger {
public:
  store_log() : rocksdb::Logger{rocksdb::InfoLogLevel::WARN_LEVEL} {}

  using rocksdb::Logger::Logv;

  void Logv(const rocksdb::InfoLogLevel level, const char* format, va_list args) override {
    if (level < rocksdb::InfoLogLevel::WARN_LEVEL || level == rocksdb::InfoLogLevel::HEADER_LEVEL)
      return;
    auto line = std::array<char, 512>{};
    std::vsnprintf(line.data(), line.size(), format, args);
    log(log_level::warning, "store", "the database warns", {{"text", line.data()}});
  }

  void Logv(const char*, va_list) override {}
};

bool can_compress(rocksdb::CompressionType type) {
  auto all = rocksdb::GetSupportedCompressions();
  return std::find(all.begin(), all.end(), type) != all.end();
}

} // namespace

rocksdb::DBOptions database_wide_options(const database_options& in, rocksdb::Env* env) {
  auto out = rocksdb::DBOptions{};
  out.env = env;
  out.create_if_missing = true;
  out.create_missing_column_families = true;
  out.info_log = std::make_shared<store_log>();
  out.max_open_files = in.open_files;
  out.max_file_opening_threads = 1;
  out.max_background_jobs = 2;
  out.max_subcompactions = 1;
  out.max_total_wal_size = in.log_size;
  out.write_buffer_manager =
    std::make_shared<rocksdb::WriteBufferManager>(in.all_write_buffers, nullptr, false);
  out.manifest_preallocation_size = 64 << 10;
  out.max_manifest_file_size = 4 << 20;
  // One thread writes nearly everything: the plain skip list insert is cheaper.
  out.allow_concurrent_memtable_write = false;
  out.stats_dump_period_sec = 0;
  out.stats_persist_period_sec = 0;
  // Written back steadily, or a big flush would delay the fsync of a small commit.
  out.bytes_per_sync = 1 << 20;
  // A log that ends in a torn record is cut there; what follows a damaged record is not used.
  out.wal_recovery_mode = rocksdb::WALRecoveryMode::kPointInTimeRecovery;
  // A failed write is final for this process, see `database`.
  out.max_bgerror_resume_count = 0;
  return out;
}

std::vector<rocksdb::ColumnFamilyDescriptor>
family_options(const database_options& in, const std::shared_ptr<const id_window>& window) {
  auto table = rocksdb::BlockBasedTableOptions{};
  table.block_cache = rocksdb::NewLRUCache(in.block_cache, 2);
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
  table.format_version = 5;
  auto usual = rocksdb::ColumnFamilyOptions{};
  usual.write_buffer_size = in.write_buffer;
  usual.max_write_buffer_number = 3;
  usual.target_file_size_base = in.table_file;
  usual.max_bytes_for_level_base = in.table_file * 8;
  usual.max_compaction_bytes = in.table_file * 8;
  usual.compression =
    can_compress(rocksdb::kLZ4Compression) ? rocksdb::kLZ4Compression : rocksdb::kNoCompression;
  usual.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));

  auto ids = usual;
  ids.compression = rocksdb::kNoCompression;
  ids.compaction_filter_factory = make_id_filter(window);
  ids.periodic_compaction_seconds = static_cast<uint64_t>(in.id_sweep.count());
  // Nearly every look-up is for an id never seen: a filter answers before any search.
  ids.memtable_prefix_bloom_size_ratio = 0.05;
  ids.memtable_whole_key_filtering = true;

  // Long histories are read one machine at a time: larger blocks, so a smaller index in memory.
  auto machines = usual;
  table.block_size = 16 << 10;
  machines.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));

  auto small = usual;
  small.write_buffer_size = std::min<uint64_t>(in.write_buffer, 1 << 20);

  auto out = std::vector<rocksdb::ColumnFamilyDescriptor>{};
  for (auto i = size_t{0}; i < family_count; ++i) {
    const auto where = static_cast<family>(i);
    const auto little = where == family::standard || where == family::cursors;
    const auto& options = where == family::ids        ? ids
                          : where == family::machines ? machines
                          : little                    ? small
                                                      : usual;
    out.emplace_back(std::string{family_names[i]}, options);
  }
  return out;
}

} // namespace troupe
