#include "nodes/own_secret.hpp"

#include "config/log.hpp"
#include "messages/ids.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>

namespace troupe {

namespace {

caf::error cannot(const std::string& path, const char* what) {
  return fault_at(ec::unavailable, path, std::string{what} + ": " + std::strerror(errno));
}

} // namespace

caf::error write_whole_file(const std::string& path, const std::string& text, unsigned mode) {
  auto fresh = path + ".new";
  auto fd = open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, mode);
  if (fd < 0)
    return cannot(fresh, "cannot be made");
  auto good = fchmod(fd, mode) == 0
              && write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size())
              && fsync(fd) == 0;
  good = close(fd) == 0 && good;
  if (!good || rename(fresh.c_str(), path.c_str()) != 0)
    return cannot(path, "cannot be written");
  return caf::none;
}

caf::expected<std::string> own_token_secret(const std::string& folder) {
  auto path = folder + "/token-secret";
  auto fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (fd >= 0) {
    auto bytes = std::array<char, 256>{};
    auto n = read(fd, bytes.data(), bytes.size());
    struct stat about {};
    if (fstat(fd, &about) == 0 && (about.st_mode & 077) != 0) {
      log(log_level::warning, "node", "others could read the token secret; now they cannot",
          {{"file", path}});
      static_cast<void>(!fchmod(fd, 0600));
    }
    close(fd);
    auto secret = std::string{bytes.data(), static_cast<size_t>(n < 0 ? 0 : n)};
    while (!secret.empty() && secret.back() == '\n')
      secret.pop_back();
    return secret; // a weak one is refused by the token check
  }
  if (errno != ENOENT)
    return cannot(path, "cannot be read");
  auto secret = random_token() + random_token();
  if (auto err = write_whole_file(path, secret + '\n', 0600))
    return err;
  return secret;
}

} // namespace troupe
