#include "tests/support/child_process.hpp"

#include "tests/support/temp_folder.hpp"
#include "tests/support/slurp.hpp"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <thread>

namespace troupe::tests {

namespace {

std::vector<char*> pointers(std::vector<std::string>& texts) {
  auto out = std::vector<char*>{};
  for (auto& text : texts)
    out.push_back(text.data());
  out.push_back(nullptr);
  return out;
}

} // namespace

child_process::child_process(const std::vector<std::string>& argv,
                             const std::vector<std::string>& variables, const std::string& output) {
  auto arguments = argv;
  auto environment = variables;
  for (auto** var = environ; *var != nullptr; ++var)
    environment.emplace_back(*var);
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&files, 1, output.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  posix_spawn_file_actions_adddup2(&files, 1, 2);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  auto none = sigset_t{};
  sigemptyset(&none);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
  auto fault = posix_spawnp(&pid_, arguments[0].c_str(), &files, &attributes,
                            pointers(arguments).data(), pointers(environment).data());
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&files);
  if (fault != 0)
    throw std::runtime_error{"cannot start " + argv[0]};
}

child_process::~child_process() {
  if (pid_ > 0) {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
}

child_process::child_process(child_process&& other) noexcept
  : pid_{std::exchange(other.pid_, -1)} {}

child_process& child_process::operator=(child_process&& other) noexcept {
  std::swap(pid_, other.pid_);
  return *this;
}

void child_process::signal(int number) {
  if (pid_ > 0)
    kill(pid_, number);
}

std::optional<int> child_process::wait(std::chrono::milliseconds limit) {
  if (pid_ <= 0)
    return std::nullopt;
  auto handle = static_cast<int>(syscall(SYS_pidfd_open, pid_, 0));
  auto watched = pollfd{handle, POLLIN, 0};
  poll(&watched, 1, static_cast<int>(limit.count()));
  close(handle);
  auto status = 0;
  if (waitpid(pid_, &status, WNOHANG) != pid_)
    return std::nullopt;
  pid_ = -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

double child_process::resident_mib() const {
  auto in = std::ifstream{"/proc/" + std::to_string(pid_) + "/statm"};
  auto size = 0L;
  auto resident = 0L;
  in >> size >> resident;
  return static_cast<double>(resident) * static_cast<double>(sysconf(_SC_PAGESIZE)) / (1 << 20);
}

std::chrono::milliseconds child_process::cpu_time() const {
  auto text = slurp("/proc/" + std::to_string(pid_) + "/stat");
  auto fields = std::istringstream{text.substr(text.rfind(')') + 2)};
  auto skipped = std::string{};
  for (auto i = 0; i < 11; ++i)
    fields >> skipped;
  auto user = 0L;
  auto system = 0L;
  fields >> user >> system;
  return std::chrono::milliseconds{(user + system) * 1000 / sysconf(_SC_CLK_TCK)};
}

finished_process run_process(const std::vector<std::string>& argv,
                             const std::vector<std::string>& variables,
                             std::chrono::seconds limit) {
  auto folder = temp_folder{};
  auto output = folder.path() + "/output";
  auto child = child_process{argv, variables, output};
  auto code = child.wait(limit);
  return {code.value_or(-1), slurp(output)};
}

void breathe() {
  std::this_thread::sleep_for(std::chrono::milliseconds{5});
}

} // namespace troupe::tests
