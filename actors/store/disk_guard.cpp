#include "actors/store/disk_guard.hpp"

#include "config/log.hpp"

#include <fcntl.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace troupe {

caf::expected<std::shared_ptr<disk_guard>> disk_guard::watch(std::string folder,
                                                             disk_guard_options options) {
  auto guard = std::shared_ptr<disk_guard>{new disk_guard{std::move(folder), options}};
  if (auto why = guard->look())
    return why;
  {
    auto lock = std::lock_guard{guard->mutex_};
    // A ballast of an earlier run may have another size.
    guard->drop_ballast();
    guard->judge();
  }
  guard->thread_ = std::thread{[raw = guard.get()] { raw->run(); }};
  return guard;
}

disk_guard::disk_guard(std::string folder, disk_guard_options options)
  : folder_{std::move(folder)}, ballast_path_{folder_ + "/ballast"}, options_{options} {}

disk_guard::~disk_guard() {
  {
    auto lock = std::lock_guard{mutex_};
    stopping_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable())
    thread_.join();
}

bool disk_guard::admits(uint64_t bytes, write_kind kind) {
  auto was = accepting_.load();
  if (look())
    return false;
  auto floor = reserve_.load();
  if (kind == write_kind::derived)
    floor /= 2;
  else if (kind == write_kind::relieving)
    floor /= 8;
  auto fits = free_ >= bytes && free_ - bytes >= floor;
  if (kind != write_kind::accepted)
    return fits;
  // The thread decides when to accept again; refusing takes effect at once.
  if (!fits && was)
    accepting_ = false;
  return fits && was;
}

bool disk_guard::make_room(uint64_t bytes) {
  if (!look() && free_ >= bytes)
    return true;
  auto lock = std::lock_guard{mutex_};
  drop_ballast();
  return !look() && free_ >= bytes;
}

caf::error disk_guard::look() {
  struct statvfs now {};
  if (::statvfs(folder_.c_str(), &now) != 0)
    return fault(ec::unavailable,
                 "cannot tell the free space of " + folder_ + ": " + std::strerror(errno));
  auto all = static_cast<double>(now.f_blocks) * static_cast<double>(now.f_frsize);
  free_ = static_cast<uint64_t>(now.f_bavail) * now.f_frsize;
  reserve_ =
    std::max(options_.reserve_bytes, static_cast<uint64_t>(all * options_.reserve_percent / 100));
  return {};
}

void disk_guard::judge() {
  if (free_ < reserve_ / 4)
    drop_ballast();
  else if (free_ >= reserve_ + options_.ballast_bytes)
    make_ballast();
  // A little more than the reserve must be free again, or the answer would flutter.
  auto accepts = free_ >= reserve_ + (accepting_ ? 0 : reserve_ / 16);
  if (accepting_.exchange(accepts) == accepts)
    return;
  log(accepts ? log_level::info : log_level::error, "disk_guard",
      accepts ? "space is back, accepting" : "too little space, refusing new work",
      {{"folder", folder_}, {"free", free_.load()}, {"reserve", reserve_.load()}});
}

void disk_guard::make_ballast() {
  if (has_ballast_ || options_.ballast_bytes == 0)
    return;
  auto file = ::open(ballast_path_.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
  if (file < 0)
    return;
  has_ballast_ = ::posix_fallocate(file, 0, static_cast<off_t>(options_.ballast_bytes)) == 0;
  ::close(file);
  if (!has_ballast_)
    ::unlink(ballast_path_.c_str());
  else
    look();
}

void disk_guard::drop_ballast() {
  auto had = std::exchange(has_ballast_, false);
  ::unlink(ballast_path_.c_str());
  if (had)
    log(log_level::warning, "disk_guard", "ballast given back", {{"folder", folder_}});
  look();
}

void disk_guard::run() {
  auto lock = std::unique_lock{mutex_};
  while (!wake_.wait_for(lock, options_.interval, [this] { return stopping_; }))
    if (!look())
      judge();
}

} // namespace troupe
