#include "tests/support/small_disk.hpp"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace troupe::tests {

std::string mount_small_disk(const std::string& folder, uint64_t bytes) {
  auto failed = [](const char* what) { return std::string{what} + ": " + std::strerror(errno); };
  auto flags = geteuid() == 0 ? CLONE_NEWNS : CLONE_NEWNS | CLONE_NEWUSER;
  if (unshare(flags) != 0)
    return failed("unshare");
  if (mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0)
    return failed("making mounts private");
  auto size = "size=" + std::to_string(bytes);
  if (mount("tmpfs", folder.c_str(), "tmpfs", 0, size.c_str()) != 0)
    return failed("mounting tmpfs");
  return {};
}

space_eater::space_eater(std::string path, uint64_t leave) : path_{std::move(path)} {
  static constexpr auto block = std::array<char, 4096>{};
  auto file = ::open(path_.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
  struct statvfs now {};
  while (file >= 0 && ::fstatvfs(file, &now) == 0 && now.f_bavail * now.f_frsize >= leave
         && ::write(file, block.data(), block.size()) > 0) {
  }
  ::close(file);
}

space_eater::~space_eater() {
  ::unlink(path_.c_str());
}

} // namespace troupe::tests
