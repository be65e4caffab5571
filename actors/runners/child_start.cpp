#include "actors/runners/child_start.hpp"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace troupe {

namespace {

/// Everything that the child needs, made before there is one.
struct child_plan {
  const char* program = nullptr;
  char* const* argv = nullptr;
  char* const* variables = nullptr;
  const char* work_dir = nullptr;
  std::array<int, 3> streams{};
  pid_t parent = 0;
  volatile int fault = 0; ///< Written by the child, which shares our memory until it execs.
};

std::vector<char*> word_pointers(const std::vector<std::string>& words) {
  auto out = std::vector<char*>{};
  for (const auto& word : words)
    out.push_back(const_cast<char*>(word.c_str()));
  out.push_back(nullptr);
  return out;
}

bool set_streams(std::array<int, 3> from) {
  // A process may run without its own three; then a pipe of ours has such a number.
  for (auto& fd : from)
    if (fd < 3 && (fd = fcntl(fd, F_DUPFD, 3)) < 0)
      return false;
  for (auto i = 0; i < 3; ++i)
    if (dup2(from[static_cast<size_t>(i)], i) < 0)
      return false;
  return close_range(3, ~0u, 0) == 0;
}

void forget_handlers() {
  struct sigaction standard {};
  standard.sa_handler = SIG_DFL;
  for (auto n = 1; n < NSIG; ++n)
    sigaction(n, &standard, nullptr);
}

/// Runs between vfork and exec: system calls only.
void become(child_plan& plan) {
  forget_handlers();
  auto none = sigset_t{};
  sigemptyset(&none);
  if (setsid() < 0 || prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || !set_streams(plan.streams)
      || chdir(plan.work_dir) != 0) {
    plan.fault = errno;
    return;
  }
  // The parent may have died before the kernel was asked to tell of it.
  if (getppid() != plan.parent) {
    plan.fault = ESRCH;
    return;
  }
  pthread_sigmask(SIG_SETMASK, &none, nullptr);
  execve(plan.program, plan.argv, plan.variables);
  plan.fault = errno;
}

/// A function of its own, so that what the child does to its frame is lost with it.
[[gnu::noinline]] pid_t fork_into(child_plan& plan) {
  auto child = vfork();
  if (child == 0) {
    become(plan);
    _exit(127);
  }
  return child;
}

} // namespace

int start_child(pid_t& child, const child_order& what, int in, int out, int errors) {
  auto argv = word_pointers(what.argv);
  auto variables = word_pointers(what.variables);
  auto plan = child_plan{what.argv[0].c_str(),  argv.data(),       variables.data(),
                         what.work_dir.c_str(), {in, out, errors}, getpid()};
  // Our handlers must not run in a child that shares our memory.
  auto all = sigset_t{};
  auto before = sigset_t{};
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  auto started = fork_into(plan);
  auto code = started < 0 ? errno : 0;
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (code == 0 && plan.fault != 0) {
    code = plan.fault;
    while (waitpid(started, nullptr, 0) < 0 && errno == EINTR) {
    }
  }
  child = code == 0 ? started : -1;
  return code;
}

} // namespace troupe
