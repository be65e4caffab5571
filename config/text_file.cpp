#include "config/text_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace troupe {

namespace {

caf::error system_fault(int code) {
  return fault(code == ENOENT ? ec::not_found : ec::unavailable,
               std::generic_category().message(code));
}

caf::expected<std::string> read_all(int fd, size_t max_bytes) {
  struct stat is {};
  if (::fstat(fd, &is) != 0)
    return system_fault(errno);
  if (!S_ISREG(is.st_mode))
    return fault(ec::unavailable, "not a regular file");
  auto out = std::string{};
  char buffer[16384];
  while (true) {
    auto n = ::read(fd, buffer, sizeof buffer);
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
      return system_fault(errno);
    if (n == 0)
      return out;
    out.append(buffer, static_cast<size_t>(n));
    if (out.size() > max_bytes)
      return fault(ec::too_large,
                   "the file is larger than " + std::to_string(max_bytes) + " bytes");
  }
}

} // namespace

caf::expected<std::string> read_text_file(const std::string& path, size_t max_bytes) {
  // Without O_NONBLOCK a pipe in the place of a file would hold us for ever.
  auto fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0)
    return system_fault(errno);
  auto out = read_all(fd, max_bytes);
  ::close(fd);
  return out;
}

} // namespace troupe
