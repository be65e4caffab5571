#pragma once

#include <rocksdb/file_system.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <string>

namespace troupe::tests {

/// A file system of one folder that knows what a power cut would leave: only
/// bytes that were synced, and only names whose folder was synced after they
/// were made, renamed or removed. It passes all but syncs on, so the database
/// goes on undisturbed; the cut is an image of the folder at that instant.
///
/// Threads: any.
class power_fail_file_system final : public rocksdb::FileSystemWrapper {
public:
  struct inode {
    std::string bytes;
    size_t synced = 0;
  };
  using inode_ptr = std::shared_ptr<inode>;
  using names = std::map<std::string, inode_ptr>;

  /// Takes the folder as it is for durable. `honest` = false: syncs of the
  /// write-ahead log are not counted, as if nobody had called them.
  power_fail_file_system(const std::string& folder, uint64_t seed, bool honest = true);

  const char* Name() const override {
    return "power_fail";
  }

  /// Cuts the power before the `n`th change from now: writes what is left to
  /// `image` and then calls `cut`, while all changes wait.
  void cut_power_at(uint64_t n, std::string image, std::function<void()> cut);
  /// Cuts the power now if it was not cut yet.
  void cut_power();

  rocksdb::IOStatus NewWritableFile(const std::string& path, const rocksdb::FileOptions& options,
                                    std::unique_ptr<rocksdb::FSWritableFile>* out,
                                    rocksdb::IODebugContext* context) override;
  rocksdb::IOStatus NewDirectory(const std::string& path, const rocksdb::IOOptions& options,
                                 std::unique_ptr<rocksdb::FSDirectory>* out,
                                 rocksdb::IODebugContext* context) override;
  rocksdb::IOStatus DeleteFile(const std::string& path, const rocksdb::IOOptions& options,
                               rocksdb::IODebugContext* context) override;
  rocksdb::IOStatus RenameFile(const std::string& from, const std::string& to,
                               const rocksdb::IOOptions& options,
                               rocksdb::IODebugContext* context) override;

  /// For the files: applies a change to what is live.
  void change(const std::function<void()>& apply);
  void sync_folder();
  bool counts_sync_of(const std::string& path) const;

private:
  void write_image();

  std::string folder_;
  bool honest_;
  std::mutex mutex_;
  std::mt19937_64 random_;
  names live_;
  names durable_;
  uint64_t changes_left_ = UINT64_MAX;
  std::string image_;
  std::function<void()> cut_;
};

} // namespace troupe::tests
