#include "actors/store/guarded_file_system.hpp"

#include "config/log.hpp"

#include <chrono>
#include <thread>

namespace troupe {

namespace {

/// For what a write costs the file system beside its bytes.
constexpr auto slack = uint64_t{256} << 10;

class guarded_file final : public rocksdb::FSWritableFileOwnerWrapper {
public:
  guarded_file(std::unique_ptr<rocksdb::FSWritableFile>&& under, guarded_file_system* fs)
    : rocksdb::FSWritableFileOwnerWrapper{std::move(under)}, fs_{fs} {}

  rocksdb::IOStatus Append(const rocksdb::Slice& bytes, const rocksdb::IOOptions& options,
                           rocksdb::IODebugContext* context) override {
    if (auto status = fs_->wait_for(bytes.size()); !status.ok())
      return status;
    return target()->Append(bytes, options, context);
  }

  rocksdb::IOStatus Append(const rocksdb::Slice& bytes, const rocksdb::IOOptions& options,
                           const rocksdb::DataVerificationInfo& check,
                           rocksdb::IODebugContext* context) override {
    if (auto status = fs_->wait_for(bytes.size()); !status.ok())
      return status;
    return target()->Append(bytes, options, check, context);
  }

  rocksdb::IOStatus PositionedAppend(const rocksdb::Slice& bytes, uint64_t offset,
                                     const rocksdb::IOOptions& options,
                                     rocksdb::IODebugContext* context) override {
    if (auto status = fs_->wait_for(bytes.size()); !status.ok())
      return status;
    return target()->PositionedAppend(bytes, offset, options, context);
  }

  /// Room taken in advance makes an fsync cheaper, but it is taken from the reserve.
  void PrepareWrite(size_t offset, size_t bytes, const rocksdb::IOOptions& options,
                    rocksdb::IODebugContext* context) override {
    if (fs_->has_plenty())
      target()->PrepareWrite(offset, bytes, options, context);
  }

private:
  guarded_file_system* fs_;
};

} // namespace

guarded_file_system::guarded_file_system(std::shared_ptr<rocksdb::FileSystem> under,
                                         std::shared_ptr<disk_guard> guard)
  : rocksdb::FileSystemWrapper{std::move(under)}, guard_{std::move(guard)} {}

rocksdb::IOStatus
guarded_file_system::NewWritableFile(const std::string& path, const rocksdb::FileOptions& options,
                                     std::unique_ptr<rocksdb::FSWritableFile>* out,
                                     rocksdb::IODebugContext* context) {
  if (auto status = wait_for(0); !status.ok())
    return status;
  auto file = std::unique_ptr<rocksdb::FSWritableFile>{};
  auto status = target()->NewWritableFile(path, options, &file, context);
  if (status.ok())
    *out = std::make_unique<guarded_file>(std::move(file), this);
  return status;
}

rocksdb::IOStatus guarded_file_system::wait_for(uint64_t bytes) {
  auto told = false;
  while (!guard_->make_room(bytes + slack)) {
    if (stopped_)
      return rocksdb::IOStatus::IOError("the disk is full and the database ends");
    if (!std::exchange(told, true))
      log(log_level::error, "store", "the disk is full, waiting for space",
          {{"free", guard_->free_bytes()}});
    std::this_thread::sleep_for(std::chrono::milliseconds{100});
  }
  return rocksdb::IOStatus::OK();
}

} // namespace troupe
