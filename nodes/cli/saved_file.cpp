#include "nodes/cli/saved_file.hpp"

#include "messages/ids.hpp"

#include <sys/stat.h>

#include <cerrno>
#include <cstdio>
#include <fstream>
#include <system_error>

namespace troupe::cli {

namespace {

caf::error save_fault(const std::string& path) {
  return fault_at(ec::invalid_argument, path, std::generic_category().message(errno));
}

bool put_bytes(const std::string& path, std::string_view bytes) {
  errno = EIO;
  auto file = std::ofstream{path, std::ios::binary | std::ios::trunc};
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  file.close();
  return !file.fail();
}

} // namespace

caf::error save_file(const std::string& path, std::string_view bytes) {
  struct stat is {};
  if (::lstat(path.c_str(), &is) == 0 && !S_ISREG(is.st_mode))
    return put_bytes(path, bytes) ? caf::error{} : save_fault(path);
  auto part = path + "." + random_token().substr(0, 8) + ".part";
  if (put_bytes(part, bytes) && std::rename(part.c_str(), path.c_str()) == 0)
    return caf::none;
  auto why = save_fault(path);
  std::remove(part.c_str());
  return why;
}

} // namespace troupe::cli
