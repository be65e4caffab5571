#include "actors/runners/exec_process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace troupe {

namespace {

caf::error start_fault(const std::string& program, int code) {
  return fault(ec::unavailable, program + ": " + std::strerror(code));
}

/// A file in memory with the input: nobody has to feed a pipe, and its end is an end of file.
owned_fd input_file(const std::string& text) {
  auto file = owned_fd{memfd_create("input", MFD_CLOEXEC)};
  auto left = std::string_view{text};
  while (file && !left.empty()) {
    auto n = write(file.get(), left.data(), left.size());
    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0)
      return {};
    left.remove_prefix(static_cast<size_t>(n));
  }
  if (file)
    lseek(file.get(), 0, SEEK_SET);
  return file;
}

/// Reads until it would block; closes the handle at the end of the stream.
std::string read_some(owned_fd& from) {
  auto out = std::string{};
  auto buffer = std::array<char, 65536>{};
  // Bounded, so that a flood on one stream does not starve the rest of the loop.
  while (from && out.size() < 4 * buffer.size()) {
    auto n = read(from.get(), buffer.data(), buffer.size());
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0 && errno == EAGAIN)
      break;
    if (n <= 0)
      from.reset();
    else
      out.append(buffer.data(), static_cast<size_t>(n));
  }
  return out;
}

struct pipe_ends {
  owned_fd read;
  owned_fd write;
};

pipe_ends make_pipe() {
  int ends[2] = {-1, -1};
  if (pipe2(ends, O_CLOEXEC) == 0)
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
  return {owned_fd{ends[0]}, owned_fd{ends[1]}};
}

} // namespace

caf::expected<exec_process> exec_process::start(const child_order& what, const std::string& input,
                                                streams how) {
  if (what.argv.empty())
    return fault(ec::invalid_argument, "there is no program to start");
  const auto& program = what.argv[0];
  auto in = input_file(input);
  auto output = make_pipe();
  auto errors = how == streams::two ? make_pipe() : pipe_ends{};
  if (!in || !output.write || (how == streams::two && !errors.write))
    return start_fault(program, errno);
  auto out = exec_process{};
  auto second = how == streams::two ? errors.write.get() : output.write.get();
  if (auto code = start_child(out.child_.value, what, in.get(), output.write.get(), second);
      code != 0)
    return start_fault(program, code);
  out.ended_ = owned_fd{static_cast<int>(syscall(SYS_pidfd_open, out.child_.value, 0))};
  if (!out.ended_)
    return start_fault(program, errno);
  out.output_ = std::move(output.read);
  out.errors_ = std::move(errors.read);
  return out;
}

exec_process::~exec_process() {
  if (child_.value < 0 || reaped_)
    return;
  signal(SIGKILL);
  auto gone = siginfo_t{};
  while (waitid(P_PID, static_cast<id_t>(child_.value), &gone, WEXITED | WNOWAIT) < 0
         && errno == EINTR) {
  }
  reap();
}

void exec_process::wait(int wake, std::chrono::steady_clock::time_point end) {
  auto left = std::chrono::ceil<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
  auto ms = static_cast<int>(std::clamp<int64_t>(left.count(), 0, 60'000));
  // Negative descriptors are ignored by poll; what has happened already must not wake again.
  pollfd all[] = {{output_.get(), POLLIN, 0},
                  {errors_.get(), POLLIN, 0},
                  {reaped_ ? -1 : ended_.get(), POLLIN, 0},
                  {wake, POLLIN, 0}};
  poll(all, std::size(all), ms);
}

std::string exec_process::read_output() {
  return read_some(output_);
}

std::string exec_process::read_errors() {
  return read_some(errors_);
}

bool exec_process::has_ended() {
  if (reaped_)
    return true;
  auto gone = siginfo_t{};
  if (waitid(P_PID, static_cast<id_t>(child_.value), &gone, WEXITED | WNOHANG | WNOWAIT) != 0
      || gone.si_pid != child_.value)
    return false;
  reap();
  return true;
}

/// The leader is a zombie until here, so the group's number cannot have become somebody else's.
void exec_process::reap() {
  signal(SIGKILL);
  while (waitpid(child_.value, &status_, 0) < 0 && errno == EINTR) {
  }
  reaped_ = true;
}

void exec_process::signal(int number) {
  if (!reaped_)
    kill(-child_.value, number);
}

int32_t exec_process::exit_code() const {
  return WIFEXITED(status_) ? WEXITSTATUS(status_) : 128 + WTERMSIG(status_);
}

std::string exec_process::describe_end() const {
  if (WIFSIGNALED(status_))
    return "signal " + std::to_string(WTERMSIG(status_));
  return "exit code " + std::to_string(WEXITSTATUS(status_));
}

} // namespace troupe
