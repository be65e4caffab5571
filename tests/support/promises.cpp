#include "tests/support/promises.hpp"

#include "tests/support/node_process.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace troupe::tests {

promises::promises(const std::string& file) : file_{file} {
  auto to = std::array<int, 2>{};
  auto from = std::array<int, 2>{};
  if (pipe2(to.data(), O_CLOEXEC) != 0 || pipe2(from.data(), O_CLOEXEC) != 0)
    throw std::runtime_error{"no pipes"};
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_adddup2(&files, to[0], 0);
  posix_spawn_file_actions_adddup2(&files, from[1], 1);
  auto name = program("promise-ledger");
  auto argument = file;
  auto argv = std::array<char*, 3>{name.data(), argument.data(), nullptr};
  auto fault = posix_spawn(&pid_, name.c_str(), &files, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&files);
  close(to[0]);
  close(from[1]);
  if (fault != 0)
    throw std::runtime_error{"cannot start " + name};
  in_ = to[1];
  out_ = from[0];
}

promises::~promises() {
  close(in_);
  close(out_);
  waitpid(pid_, nullptr, 0);
}

void promises::note(const std::string& key, const std::string& job) {
  auto line = key + ' ' + job + '\n';
  auto answer = std::array<char, 3>{};
  if (write(in_, line.data(), line.size()) != static_cast<ssize_t>(line.size())
      || read(out_, answer.data(), answer.size()) != 3)
    throw std::runtime_error{"the promise ledger is gone"};
}

std::map<std::string, std::string> promises::all() const {
  auto out = std::map<std::string, std::string>{};
  auto in = std::ifstream{file_};
  for (auto line = std::string{}; std::getline(in, line);) {
    auto key = std::string{};
    auto job = std::string{};
    std::istringstream{line} >> key >> job;
    auto [at, fresh] = out.emplace(key, job);
    if (!fresh && at->second != job)
      throw std::runtime_error{"key " + key + " became two jobs: " + at->second + ", " + job};
  }
  return out;
}

} // namespace troupe::tests
