#include "actors/artifacts/artifact_folder.hpp"

#include "messages/text_rule.hpp"

#include <dirent.h>
#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <memory>

namespace troupe {

namespace {

constexpr auto folder_flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
constexpr auto longest_stem = size_t{200};

caf::expected<owned_fd> step(int above, const std::string& name, bool create) {
  auto below = owned_fd{openat(above, name.c_str(), folder_flags)};
  if (below)
    return below;
  if (errno != ENOENT || !create)
    return file_fault("open folder " + name);
  if (mkdirat(above, name.c_str(), 0700) != 0 && errno != EEXIST)
    return file_fault("make folder " + name);
  below = owned_fd{openat(above, name.c_str(), folder_flags)};
  if (!below)
    return file_fault("open folder " + name);
  return below;
}

std::optional<uint32_t> run_of(std::string_view text) {
  auto run = uint32_t{0};
  auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), run);
  if (fault != std::errc{} || end != text.data() + text.size())
    return std::nullopt;
  return run;
}

} // namespace

caf::expected<artifact_folder> artifact_folder::open(const std::string& path) {
  for (auto slash = path.find('/', 1); slash != std::string::npos;
       slash = path.find('/', slash + 1))
    mkdir(path.substr(0, slash).c_str(), 0700);
  mkdir(path.c_str(), 0700);
  auto out = artifact_folder{};
  out.root_ = owned_fd{::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (!out.root_)
    return file_fault("open " + path);
  return out;
}

caf::expected<owned_fd> artifact_folder::run_folder(const job_id& job, uint32_t run,
                                                    bool create) const {
  auto above = step(root_.get(), to_string(job), create);
  if (!above)
    return std::move(above.error());
  return step(above->get(), std::to_string(run), create);
}

caf::error artifact_folder::sync(const job_id& job, uint32_t run) const {
  auto above = step(root_.get(), to_string(job), false);
  if (!above)
    return std::move(above.error());
  auto below = step(above->get(), std::to_string(run), false);
  if (!below)
    return std::move(below.error());
  if (fsync(below->get()) != 0 || fsync(above->get()) != 0 || fsync(root_.get()) != 0)
    return file_fault("sync folder");
  return {};
}

std::vector<job_id> artifact_folder::jobs() const {
  auto out = std::vector<job_id>{};
  for (const auto& name : entries_of(root_.get()))
    if (auto job = parse_job_id(name))
      out.push_back(*job);
  return out;
}

std::vector<uint32_t> artifact_folder::runs(const job_id& job) const {
  auto out = std::vector<uint32_t>{};
  auto folder = step(root_.get(), to_string(job), false);
  if (!folder)
    return out;
  for (const auto& name : entries_of(folder->get()))
    if (auto run = run_of(name))
      out.push_back(*run);
  return out;
}

void artifact_folder::remove(const job_id& job) const {
  auto name = to_string(job);
  auto above = step(root_.get(), name, false);
  if (!above)
    return;
  for (const auto& run : entries_of(above->get())) {
    if (auto below = step(above->get(), run, false)) {
      for (const auto& file : entries_of(below->get()))
        unlinkat(below->get(), file.c_str(), 0);
      unlinkat(above->get(), run.c_str(), AT_REMOVEDIR);
    } else {
      unlinkat(above->get(), run.c_str(), 0);
    }
  }
  unlinkat(root_.get(), name.c_str(), AT_REMOVEDIR);
}

caf::expected<std::string> file_stem(std::string_view artifact) {
  if (!obeys("path", artifact))
    return fault_at(ec::invalid_argument, "name", "is not a relative path without \"..\"");
  auto out = std::string{};
  for (auto c : artifact) {
    if (c == '/')
      out += "%2F";
    else if (c == '%')
      out += "%25";
    else
      out += c;
  }
  if (out.size() > longest_stem)
    return fault_at(ec::invalid_argument, "name", "is longer than 200 bytes");
  return out;
}

std::optional<std::string> artifact_of(std::string_view file, std::string_view suffix) {
  if (file.size() <= suffix.size() || file.substr(file.size() - suffix.size()) != suffix)
    return std::nullopt;
  file.remove_suffix(suffix.size());
  auto out = std::string{};
  for (auto i = size_t{0}; i < file.size(); ++i) {
    if (file[i] != '%') {
      out += file[i];
      continue;
    }
    auto code = file.substr(i, 3);
    if (code != "%2F" && code != "%25")
      return std::nullopt;
    out += code == "%2F" ? '/' : '%';
    i += 2;
  }
  return out;
}

std::vector<std::string> entries_of(int folder) {
  auto out = std::vector<std::string>{};
  // fdopendir takes the descriptor over, and its place must start at the first entry.
  auto own = openat(folder, ".", folder_flags);
  if (own < 0)
    return out;
  auto dir = std::unique_ptr<DIR, int (*)(DIR*)>{fdopendir(own), closedir};
  if (!dir) {
    close(own);
    return out;
  }
  while (const auto* entry = readdir(dir.get())) {
    auto name = std::string{entry->d_name};
    if (name != "." && name != "..")
      out.push_back(std::move(name));
  }
  return out;
}

std::chrono::milliseconds silence_of(const struct stat& file) {
  auto written =
    std::chrono::seconds{file.st_mtim.tv_sec} + std::chrono::nanoseconds{file.st_mtim.tv_nsec};
  auto passed = std::chrono::system_clock::now().time_since_epoch() - written;
  return std::max(std::chrono::ceil<std::chrono::milliseconds>(passed),
                  std::chrono::milliseconds{0});
}

caf::error file_fault(std::string_view action) {
  auto number = errno;
  auto code = ec::unavailable;
  if (number == ENOENT)
    code = ec::not_found;
  else if (number == ENOSPC || number == EDQUOT)
    code = ec::disk_full;
  char text[128];
  return fault(code, std::string{action} + ": " + strerror_r(number, text, sizeof text));
}

caf::error read_at(int fd, uint64_t place, char* to, size_t n) {
  while (n > 0) {
    auto got = pread(fd, to, n, static_cast<off_t>(place));
    if (got < 0 && errno == EINTR)
      continue;
    if (got < 0)
      return file_fault("read");
    if (got == 0)
      return fault(ec::corrupt, "file is too short");
    to += got;
    place += static_cast<uint64_t>(got);
    n -= static_cast<size_t>(got);
  }
  return {};
}

caf::error write_at(int fd, uint64_t place, std::string_view bytes) {
  while (!bytes.empty()) {
    auto put = pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(place));
    if (put < 0 && errno == EINTR)
      continue;
    if (put < 0)
      return file_fault("write");
    place += static_cast<uint64_t>(put);
    bytes.remove_prefix(static_cast<size_t>(put));
  }
  return {};
}

} // namespace troupe
