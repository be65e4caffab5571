#include "actors/runners/process_table.hpp"

#include "actors/owned_fd.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/syscall.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string_view>
#include <thread>

namespace troupe {

namespace {

constexpr auto most_environment = size_t{8} << 20;
constexpr auto kill_rounds = 100;
constexpr auto round_pause = std::chrono::milliseconds{10};

struct process_entry {
  pid_t parent = 0;
  uint64_t started = 0; ///< Ticks since boot: with the number it names one process for ever.
  bool is_carrier = false;
};

using process_entries = std::map<pid_t, process_entry>;

std::string read_proc(pid_t pid, const char* name, size_t most) {
  auto path = "/proc/" + std::to_string(pid) + '/' + name;
  auto file = owned_fd{open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  auto out = std::string{};
  auto buffer = std::array<char, 16384>{};
  while (file && out.size() < most) {
    auto n = read(file.get(), buffer.data(), buffer.size());
    if (n <= 0)
      break;
    out.append(buffer.data(), static_cast<size_t>(n));
  }
  return out;
}

/// Reads "pid (name) state ppid ..."; nothing for what has ended.
std::optional<process_entry> read_entry(pid_t pid) {
  auto text = read_proc(pid, "stat", 4096);
  // The name may hold anything, also parentheses.
  auto at = text.rfind(')');
  if (at == std::string::npos || text.size() < at + 4 || text[at + 2] == 'Z' || text[at + 2] == 'X')
    return std::nullopt;
  auto out = process_entry{};
  auto rest = std::string_view{text}.substr(at + 2);
  constexpr auto parent_field = 1;
  constexpr auto start_field = 19;
  for (auto field = 0; field <= start_field && !rest.empty(); ++field) {
    auto word = rest.substr(0, rest.find(' '));
    if (field == parent_field)
      std::from_chars(word.data(), word.data() + word.size(), out.parent);
    if (field == start_field)
      std::from_chars(word.data(), word.data() + word.size(), out.started);
    rest.remove_prefix(std::min(rest.size(), word.size() + 1));
  }
  return out;
}

bool carries(pid_t pid, const std::set<std::string>& words) {
  auto text = read_proc(pid, "environ", most_environment);
  for (auto rest = std::string_view{text}; !rest.empty();) {
    auto word = rest.substr(0, rest.find('\0'));
    if (words.count(std::string{word}) == 1)
      return true;
    rest.remove_prefix(std::min(rest.size(), word.size() + 1));
  }
  return false;
}

process_entries read_processes(const std::set<std::string>& words) {
  auto out = process_entries{};
  auto dir = std::unique_ptr<DIR, int (*)(DIR*)>{opendir("/proc"), closedir};
  while (const auto* entry = dir ? readdir(dir.get()) : nullptr) {
    auto name = std::string_view{entry->d_name};
    auto pid = pid_t{};
    auto [end, fault] = std::from_chars(name.data(), name.data() + name.size(), pid);
    if (fault != std::errc{} || end != name.data() + name.size() || pid == getpid())
      continue;
    if (auto one = read_entry(pid)) {
      one->is_carrier = carries(pid, words);
      out.emplace(pid, *one);
    }
  }
  return out;
}

/// Also takes in what carriers have started.
void add_descendants(process_entries& all) {
  for (auto changed = true; changed;) {
    changed = false;
    for (auto& [pid, one] : all) {
      auto parent = all.find(one.parent);
      if (one.is_carrier || parent == all.end() || !parent->second.is_carrier)
        continue;
      one.is_carrier = true;
      changed = true;
    }
  }
}

/// A handle first, then a look: whoever is behind the handle is the one that was meant.
void kill_one(pid_t pid, const process_entry& what) {
  auto handle = owned_fd{static_cast<int>(syscall(SYS_pidfd_open, pid, 0))};
  auto now = read_entry(pid);
  if (handle && now && now->started == what.started)
    syscall(SYS_pidfd_send_signal, handle.get(), SIGKILL, nullptr, 0);
}

} // namespace

killed_carriers kill_carriers(const std::set<std::string>& words) {
  auto found = std::set<std::pair<pid_t, uint64_t>>{};
  auto left = !words.empty();
  for (auto round = 0; round < kill_rounds && left; ++round) {
    auto all = read_processes(words);
    add_descendants(all);
    left = false;
    for (const auto& [pid, one] : all) {
      if (!one.is_carrier)
        continue;
      kill_one(pid, one);
      found.emplace(pid, one.started);
      left = true;
    }
    // What was killed may have started something between the two looks.
    if (left)
      std::this_thread::sleep_for(round_pause);
  }
  return {found.size(), !left};
}

} // namespace troupe
