#include "actors/runners/process_mark.hpp"

#include "actors/runners/process_table.hpp"
#include "config/log.hpp"
#include "config/text_file.hpp"
#include "messages/ids.hpp"

#include <fcntl.h>
#include <sys/file.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>
#include <vector>

namespace troupe {

namespace {

namespace fs = std::filesystem;

constexpr auto mark_name = std::string_view{"TROUPE_RUN="};
constexpr auto mark_digits = size_t{32};
constexpr auto longest_mark = size_t{256};

bool is_note(std::string_view name) {
  return name.size() == mark_digits
         && name.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

/// What is killed by a note must be a mark of ours, whatever is in the folder.
bool is_mark(std::string_view text) {
  return text.size() > mark_name.size() + mark_digits
         && text.substr(0, mark_name.size()) == mark_name
         && text.find_first_not_of("0123456789abcdef", mark_name.size())
              == mark_name.size() + mark_digits
         && text[mark_name.size() + mark_digits] == '/';
}

caf::error note_fault(const std::string& path) {
  auto number = errno;
  return fault(number == ENOSPC || number == EDQUOT ? ec::disk_full : ec::unavailable,
               path + ": " + std::strerror(number));
}

bool lock_now(int file) {
  return flock(file, LOCK_EX | LOCK_NB) == 0;
}

} // namespace

caf::expected<process_mark> process_mark::make(const std::string& folder, const std::string& tag) {
  auto digits = random_token();
  auto out = process_mark{};
  out.variable_ = std::string{mark_name} + digits + '/' + tag;
  if (folder.empty())
    return out;
  auto none = std::error_code{};
  fs::create_directories(folder, none);
  auto path = folder + '/' + digits;
  // Only a locked note has a note's name, so a sweep never meets one that is not ready.
  auto fresh = path + ".new";
  auto file =
    owned_fd{open(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600)};
  if (!file)
    return note_fault(path);
  auto wanted = static_cast<ssize_t>(out.variable_.size());
  if (!lock_now(file.get())
      || write(file.get(), out.variable_.data(), out.variable_.size()) != wanted
      || rename(fresh.c_str(), path.c_str()) != 0) {
    auto why = note_fault(path);
    unlink(fresh.c_str());
    return why;
  }
  out.note_ = path;
  out.lock_ = std::move(file);
  return out;
}

process_mark::process_mark(process_mark&& other) noexcept
  : variable_{std::exchange(other.variable_, {})}, note_{std::exchange(other.note_, {})},
    lock_{std::move(other.lock_)} {}

process_mark::~process_mark() {
  if (variable_.empty())
    return;
  // What does not die now is left to the next sweep.
  if (kill_carriers({variable_}).all_gone && !note_.empty())
    unlink(note_.c_str());
}

size_t sweep_marks(const std::string& folder) {
  auto none = std::error_code{};
  auto dead = std::set<std::string>{};
  auto notes = std::vector<std::pair<owned_fd, std::string>>{};
  for (auto i = fs::directory_iterator{folder, none}; !none && i != fs::end(i); i.increment(none)) {
    auto path = i->path().string();
    if (!is_note(i->path().filename().string()))
      continue;
    auto file = owned_fd{open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)};
    if (!file || !lock_now(file.get()))
      continue;
    auto text = read_text_file(path, longest_mark);
    if (text && is_mark(*text))
      dead.insert(*text);
    notes.emplace_back(std::move(file), std::move(path));
  }
  auto killed = kill_carriers(dead);
  for (const auto& [file, path] : notes)
    if (killed.all_gone)
      unlink(path.c_str());
  if (killed.found > 0)
    log(killed.all_gone ? log_level::info : log_level::warning, "process_mark",
        "processes of dead runs were killed",
        {{"folder", folder}, {"processes", killed.found}, {"all_gone", killed.all_gone}});
  return killed.found;
}

} // namespace troupe
