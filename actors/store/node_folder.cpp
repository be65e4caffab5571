#include "actors/store/node_folder.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

namespace troupe {

namespace {

/// Returns " (process N)" if the lock file tells who holds it.
std::string holder_of(int lock) {
  auto text = std::array<char, 16>{};
  auto n = pread(lock, text.data(), text.size() - 1, 0);
  auto pid = std::string{text.data(), static_cast<size_t>(std::max<ssize_t>(n, 0))};
  pid = pid.substr(0, pid.find_first_not_of("0123456789"));
  return pid.empty() ? std::string{} : " (process " + pid + ')';
}

} // namespace

caf::expected<node_folder> node_folder::take(const std::string& path) {
  auto failed = [&](const char* what) {
    return fault_at(ec::unavailable, path, std::string{what} + std::strerror(errno));
  };
  if (mkdir(path.c_str(), 0700) != 0 && errno != EEXIST)
    return failed("cannot be made: ");
  auto out = node_folder{open((path + "/node.lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)};
  if (out.lock_ < 0)
    return failed("cannot be locked: ");
  if (flock(out.lock_, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK)
      return failed("cannot be locked: ");
    return fault(ec::unavailable,
                 "another node" + holder_of(out.lock_) + " uses this data folder: " + path);
  }
  // Only people read the number: without it (a full disk) the lock is as good.
  auto pid = std::to_string(getpid()) + '\n';
  if (ftruncate(out.lock_, 0) == 0)
    static_cast<void>(!pwrite(out.lock_, pid.data(), pid.size(), 0));
  return out;
}

node_folder::~node_folder() {
  if (lock_ >= 0)
    close(lock_);
}

node_folder::node_folder(node_folder&& other) noexcept : lock_{std::exchange(other.lock_, -1)} {}

node_folder& node_folder::operator=(node_folder&& other) noexcept {
  std::swap(lock_, other.lock_);
  return *this;
}

} // namespace troupe
