#include "tests/support/power_fail_file_system.hpp"

#include <filesystem>
#include <fstream>
#include <sstream>

namespace troupe::tests {

namespace {

namespace fs = std::filesystem;
using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;
using rocksdb::Slice;

std::string name_of(const std::string& path) {
  return fs::path{path}.filename();
}

class tracked_file final : public rocksdb::FSWritableFileOwnerWrapper {
public:
  tracked_file(std::unique_ptr<rocksdb::FSWritableFile>&& under, power_fail_file_system* owner,
               power_fail_file_system::inode_ptr node, bool counts_sync)
    : rocksdb::FSWritableFileOwnerWrapper{std::move(under)}, owner_{owner}, node_{std::move(node)},
      counts_sync_{counts_sync} {}

  IOStatus Append(const Slice& x, const IOOptions& options, IODebugContext* context) override {
    owner_->change([&] { node_->bytes.append(x.data(), x.size()); });
    return target()->Append(x, options, context);
  }
  IOStatus Append(const Slice& x, const IOOptions& options,
                  const rocksdb::DataVerificationInfo& check, IODebugContext* context) override {
    owner_->change([&] { node_->bytes.append(x.data(), x.size()); });
    return target()->Append(x, options, check, context);
  }
  IOStatus Truncate(uint64_t size, const IOOptions& options, IODebugContext* context) override {
    owner_->change([&] {
      node_->bytes.resize(size);
      node_->synced = std::min<size_t>(node_->synced, size);
    });
    return target()->Truncate(size, options, context);
  }
  /// The real disk is not bothered: only the image counts.
  IOStatus Sync(const IOOptions&, IODebugContext*) override {
    owner_->change([&] {
      if (counts_sync_)
        node_->synced = node_->bytes.size();
    });
    return IOStatus::OK();
  }
  IOStatus Fsync(const IOOptions& options, IODebugContext* context) override {
    return Sync(options, context);
  }

private:
  power_fail_file_system* owner_;
  power_fail_file_system::inode_ptr node_;
  bool counts_sync_;
};

class tracked_folder final : public rocksdb::FSDirectoryWrapper {
public:
  tracked_folder(std::unique_ptr<rocksdb::FSDirectory>&& under, power_fail_file_system* owner)
    : rocksdb::FSDirectoryWrapper{std::move(under)}, owner_{owner} {}

  IOStatus Fsync(const IOOptions&, IODebugContext*) override {
    owner_->sync_folder();
    return IOStatus::OK();
  }
  IOStatus FsyncWithDirOptions(const IOOptions&, IODebugContext*,
                               const rocksdb::DirFsyncOptions&) override {
    owner_->sync_folder();
    return IOStatus::OK();
  }

private:
  power_fail_file_system* owner_;
};

} // namespace

power_fail_file_system::power_fail_file_system(const std::string& folder, uint64_t seed,
                                               bool honest)
  : rocksdb::FileSystemWrapper{rocksdb::FileSystem::Default()}, folder_{folder}, honest_{honest},
    random_{seed} {
  for (const auto& entry : fs::directory_iterator{folder}) {
    auto text = std::ostringstream{};
    text << std::ifstream{entry.path(), std::ios::binary}.rdbuf();
    auto node = std::make_shared<inode>();
    node->bytes = text.str();
    node->synced = node->bytes.size();
    live_[entry.path().filename()] = node;
  }
  durable_ = live_;
}

void power_fail_file_system::cut_power_at(uint64_t n, std::string image,
                                          std::function<void()> cut) {
  auto lock = std::lock_guard{mutex_};
  changes_left_ = n;
  image_ = std::move(image);
  cut_ = std::move(cut);
}

void power_fail_file_system::cut_power() {
  auto lock = std::lock_guard{mutex_};
  if (cut_)
    write_image();
}

void power_fail_file_system::change(const std::function<void()>& apply) {
  auto lock = std::lock_guard{mutex_};
  if (cut_ && changes_left_-- == 0)
    write_image();
  apply();
}

void power_fail_file_system::sync_folder() {
  change([this] { durable_ = live_; });
}

bool power_fail_file_system::counts_sync_of(const std::string& path) const {
  return honest_ || !path.ends_with(".log");
}

void power_fail_file_system::write_image() {
  fs::create_directories(image_);
  for (const auto& [name, node] : durable_) {
    // The cache writes back at its own will: any part of the tail may have made it.
    auto tail = node->bytes.size() - node->synced;
    auto torn = random_() % 2 == 0 ? 0 : random_() % (tail + 1);
    auto out = std::ofstream{image_ + "/" + name, std::ios::binary};
    out.write(node->bytes.data(), static_cast<std::streamsize>(node->synced + torn));
  }
  std::exchange(cut_, nullptr)();
}

IOStatus power_fail_file_system::NewWritableFile(const std::string& path,
                                                 const rocksdb::FileOptions& options,
                                                 std::unique_ptr<rocksdb::FSWritableFile>* out,
                                                 IODebugContext* context) {
  auto file = std::unique_ptr<rocksdb::FSWritableFile>{};
  auto status = target()->NewWritableFile(path, options, &file, context);
  if (!status.ok())
    return status;
  auto node = std::make_shared<inode>();
  change([&] { live_[name_of(path)] = node; });
  *out = std::make_unique<tracked_file>(std::move(file), this, node, counts_sync_of(path));
  return status;
}

IOStatus power_fail_file_system::NewDirectory(const std::string& path, const IOOptions& options,
                                              std::unique_ptr<rocksdb::FSDirectory>* out,
                                              IODebugContext* context) {
  auto folder = std::unique_ptr<rocksdb::FSDirectory>{};
  auto status = target()->NewDirectory(path, options, &folder, context);
  if (status.ok())
    *out = std::make_unique<tracked_folder>(std::move(folder), this);
  return status;
}

IOStatus power_fail_file_system::DeleteFile(const std::string& path, const IOOptions& options,
                                            IODebugContext* context) {
  change([&] { live_.erase(name_of(path)); });
  return target()->DeleteFile(path, options, context);
}

IOStatus power_fail_file_system::RenameFile(const std::string& from, const std::string& to,
                                            const IOOptions& options, IODebugContext* context) {
  change([&] {
    if (auto moved = live_.extract(name_of(from)))
      live_[name_of(to)] = moved.mapped();
  });
  return target()->RenameFile(from, to, options, context);
}

} // namespace troupe::tests
