#include "actors/runners/host_command.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace troupe {

namespace {

using clock = std::chrono::steady_clock;

constexpr auto poll_ms = 50;
constexpr auto grace = std::chrono::seconds{1};

std::vector<char*> argument_pointers(const std::vector<std::string>& words) {
  auto out = std::vector<char*>{};
  for (const auto& word : words)
    out.push_back(const_cast<char*>(word.c_str()));
  out.push_back(nullptr);
  return out;
}

command_result not_started(int code) {
  return {command_result::end::infra, 0, false, std::strerror(code)};
}

/// Starts the program with `output` as both of its streams. Returns 0 or an errno.
int spawn(const command& what, int output, pid_t& child) {
  auto actions = posix_spawn_file_actions_t{};
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, output, 1);
  posix_spawn_file_actions_adddup2(&actions, output, 2);
  posix_spawn_file_actions_addclosefrom_np(&actions, 3);
  posix_spawn_file_actions_addchdir_np(&actions, what.work_dir.c_str());
  auto attributes = posix_spawnattr_t{};
  posix_spawnattr_init(&attributes);
  auto signals = sigset_t{};
  sigemptyset(&signals);
  posix_spawnattr_setsigmask(&attributes, &signals);
  sigaddset(&signals, SIGPIPE);
  posix_spawnattr_setsigdefault(&attributes, &signals);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes,
                           POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  auto code = posix_spawn(&child, what.argv[0].c_str(), &actions, &attributes,
                          argument_pointers(what.argv).data(), argument_pointers(what.variables).data());
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  return code;
}

} // namespace

command_result run_on_host(const command& what, std::stop_token stop,
                           const std::function<void(std::string_view)>& out) {
  auto ends = std::array<int, 2>{};
  if (what.argv.empty() || pipe2(ends.data(), O_CLOEXEC) != 0)
    return not_started(what.argv.empty() ? EINVAL : errno);
  auto child = pid_t{};
  auto code = spawn(what, ends[1], child);
  close(ends[1]);
  if (code != 0) {
    close(ends[0]);
    return not_started(code);
  }
  auto result = command_result{};
  auto deadline = clock::now() + what.limit;
  auto kill_at = clock::time_point::max();
  auto ended = false;
  auto status = 0;
  auto drained_at = clock::time_point::max();
  for (auto open = true; open || !ended;) {
    auto now = clock::now();
    // A child that left the group may hold the pipe for ever.
    if (now >= drained_at)
      break;
    if (kill_at == clock::time_point::max() && (now >= deadline || stop.stop_requested())) {
      result.how =
        stop.stop_requested() ? command_result::end::canceled : command_result::end::timed_out;
      kill(-child, SIGTERM);
      kill_at = now + grace;
    } else if (now >= kill_at) {
      kill(-child, SIGKILL);
    }
    auto wait = pollfd{ends[0], POLLIN, 0};
    if (open && poll(&wait, 1, poll_ms) > 0) {
      auto buffer = std::array<char, 4096>{};
      auto size = read(ends[0], buffer.data(), buffer.size());
      if (size > 0)
        out({buffer.data(), static_cast<size_t>(size)});
      else if (size == 0 || (errno != EINTR && errno != EAGAIN))
        open = false;
    } else if (!open) {
      poll(nullptr, 0, 1);
    }
    // Without reaping: the group's number stays ours until the last signal is sent.
    auto seen = siginfo_t{};
    if (!ended && waitid(P_PID, static_cast<id_t>(child), &seen, WEXITED | WNOHANG | WNOWAIT) == 0
        && seen.si_pid == child) {
      ended = true;
      drained_at = clock::now() + grace;
      kill(-child, SIGKILL);
    }
  }
  close(ends[0]);
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  result.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return result;
}

} // namespace troupe
