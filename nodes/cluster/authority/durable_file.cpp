#include "nodes/cluster/authority/durable_file.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <system_error>
#include <utility>

namespace troupe {

namespace {

caf::error cannot_do(const std::string& path, const char* what, int reason) {
  auto code = reason == ENOSPC || reason == EDQUOT ? ec::disk_full : ec::unavailable;
  return fault_at(code, path, std::string{what} + ": " + std::generic_category().message(reason));
}

std::string parent_of(const std::string& path) {
  auto slash = path.rfind('/');
  return slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
}

/// Node names begin with a letter or digit, so a name with a dot collides with none.
std::string draft_of(const std::string& path) {
  auto slash = path.rfind('/');
  auto begin = slash == std::string::npos ? 0 : slash + 1;
  return path.substr(0, begin) + '.' + path.substr(begin) + ".new";
}

int write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    auto n = ::write(fd, text.data(), text.size());
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
      return errno;
    text.remove_prefix(static_cast<size_t>(n));
  }
  return 0;
}

caf::error write_draft(const std::string& path, std::string_view text, unsigned mode) {
  ::unlink(path.c_str()); // of a process that was killed
  auto fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
  if (fd < 0)
    return cannot_do(path, "cannot be made", errno);
  auto reason = ::fchmod(fd, mode) == 0 ? write_all(fd, text) : errno;
  if (reason == 0 && ::fsync(fd) != 0)
    reason = errno;
  if (::close(fd) != 0 && reason == 0)
    reason = errno;
  return reason == 0 ? caf::error{} : cannot_do(path, "cannot be written", reason);
}

caf::error sync_folder(const std::string& path) {
  auto fd = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0)
    return cannot_do(path, "cannot be opened", errno);
  auto reason = ::fsync(fd) == 0 ? 0 : errno;
  ::close(fd);
  return reason == 0 ? caf::error{} : cannot_do(path, "cannot be written", reason);
}

} // namespace

caf::error write_durable_file(const std::string& path, std::string_view text, unsigned mode,
                              present_file there) {
  auto draft = draft_of(path);
  auto err = write_draft(draft, text, mode);
  if (!err && there == present_file::replace && ::rename(draft.c_str(), path.c_str()) != 0)
    err = cannot_do(path, "cannot be replaced", errno);
  // Unlike rename, link never replaces a file.
  if (!err && there == present_file::keep && ::link(draft.c_str(), path.c_str()) != 0)
    err = errno == EEXIST ? fault_at(ec::conflict, path, "is there already")
                          : cannot_do(path, "cannot be made", errno);
  ::unlink(draft.c_str());
  if (err)
    return err;
  return sync_folder(parent_of(path));
}

caf::error make_private_folder(const std::string& path) {
  if (::mkdir(path.c_str(), 0700) == 0)
    return sync_folder(parent_of(path));
  if (errno != EEXIST)
    return cannot_do(path, "cannot be made", errno);
  struct stat is {};
  if (::stat(path.c_str(), &is) == 0 && S_ISDIR(is.st_mode))
    return caf::none;
  return fault_at(ec::conflict, path, "is there already and is no folder");
}

caf::error publish_folder(const std::string& from, const std::string& to) {
  if (auto err = sync_folder(from))
    return err;
  if (::rename(from.c_str(), to.c_str()) != 0)
    return errno == ENOTEMPTY || errno == EEXIST || errno == ENOTDIR
             ? fault_at(ec::conflict, to, "is there already")
             : cannot_do(to, "cannot be made", errno);
  return sync_folder(parent_of(to));
}

caf::expected<folder_lock> folder_lock::take(const std::string& folder) {
  auto fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0 && errno == ENOENT)
    return fault_at(ec::not_found, folder, "there is no such folder");
  if (fd < 0)
    return cannot_do(folder, "cannot be opened", errno);
  auto out = folder_lock{fd};
  while (::flock(fd, LOCK_EX) != 0)
    if (errno != EINTR)
      return cannot_do(folder, "cannot be locked", errno);
  return out;
}

folder_lock::folder_lock(folder_lock&& other) noexcept : fd_{std::exchange(other.fd_, -1)} {}

folder_lock& folder_lock::operator=(folder_lock&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}

folder_lock::~folder_lock() {
  if (fd_ >= 0)
    ::close(fd_);
}

} // namespace troupe
