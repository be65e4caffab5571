#pragma once

#include "messages/error.hpp"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

namespace troupe {

/// When the guard refuses. Tests set small numbers.
struct disk_guard_options {
  double reserve_percent = 5;          ///< Of the file system; the larger one of this ...
  uint64_t reserve_bytes = 1ULL << 30; ///< ... and this stays free.
  uint64_t ballast_bytes =
    64ULL << 20; ///< Allocated now, given back when even the reserve is used up. 0 = none.
  std::chrono::milliseconds interval{1000}; ///< Between two looks while nothing is written.
};

/// How much a write is worth when space runs out.
enum class write_kind : uint8_t {
  accepted,  ///< New work for which a client waits: refused below the reserve.
  derived,   ///< A projection of what was already accepted: refused below half of it.
  relieving, ///< Frees space or lets others free it: refused below an eighth.
};

/// Refuses writes before the disk is full, so that RocksDB never finds it full
/// (Debian's aborts then) and reads go on. Accepts again by itself.
///
/// Below a quarter of the reserve the ballast file is given back, so that what
/// is under way (flush, compaction) can end; it is made again when there is room.
///
/// Threads: any; `admits` makes one system call, `accepting` none.
class disk_guard {
public:
  /// Watches the file system of `folder`, which must exist. Errors: `ec::unavailable`.
  static caf::expected<std::shared_ptr<disk_guard>> watch(std::string folder,
                                                          disk_guard_options options = {});
  ~disk_guard();
  disk_guard(const disk_guard&) = delete;
  disk_guard& operator=(const disk_guard&) = delete;

  /// Tells whether new work is accepted, as of the last look.
  bool accepting() const {
    return accepting_;
  }

  /// Looks now; tells whether `bytes` more may be written.
  bool admits(uint64_t bytes, write_kind kind);

  /// Returns the free bytes as of the last look.
  uint64_t free_bytes() const {
    return free_;
  }

  /// Returns how much stays free.
  uint64_t reserve() const {
    return reserve_;
  }

  /// Looks now; gives the ballast back if `bytes` do not fit otherwise. For
  /// writes that cannot be refused any more. Tells whether they fit.
  bool make_room(uint64_t bytes);

private:
  disk_guard(std::string folder, disk_guard_options options);
  caf::error look();
  void judge();
  void make_ballast();
  void drop_ballast();
  void run();

  std::string folder_;
  std::string ballast_path_;
  disk_guard_options options_;
  std::atomic<uint64_t> free_ = 0;
  std::atomic<uint64_t> reserve_ = 0;
  std::atomic<bool> accepting_ = true;
  std::mutex mutex_; ///< Guards the ballast and `stopping_`.
  std::condition_variable wake_;
  bool has_ballast_ = false;
  bool stopping_ = false;
  std::thread thread_;
};

} // namespace troupe
