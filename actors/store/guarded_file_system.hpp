#pragma once

#include "actors/store/disk_guard.hpp"

#include <rocksdb/file_system.h>

#include <atomic>
#include <memory>

namespace troupe {

/// Keeps ENOSPC away from RocksDB: before bytes go to a file it makes sure that
/// they fit, gives the ballast back if not, and else lets the writing thread
/// wait until there is room. Foreground writes were admitted by the guard
/// before, so in practice only flushes and compactions wait.
///
/// Threads: any.
class guarded_file_system final : public rocksdb::FileSystemWrapper {
public:
  guarded_file_system(std::shared_ptr<rocksdb::FileSystem> under,
                      std::shared_ptr<disk_guard> guard);

  const char* Name() const override {
    return "troupe.guarded";
  }

  rocksdb::IOStatus NewWritableFile(const std::string& path, const rocksdb::FileOptions& options,
                                    std::unique_ptr<rocksdb::FSWritableFile>* out,
                                    rocksdb::IODebugContext* context) override;

  /// From now on nobody waits; who would, gets an error. For the end of the database.
  void stop_waiting() {
    stopped_ = true;
  }

  /// Tells whether twice the reserve is free.
  bool has_plenty() const {
    return guard_->free_bytes() / 2 > guard_->reserve();
  }

  /// Waits until `bytes` fit. Errors: the database ends.
  rocksdb::IOStatus wait_for(uint64_t bytes);

private:
  std::shared_ptr<disk_guard> guard_;
  std::atomic<bool> stopped_ = false;
};

} // namespace troupe
