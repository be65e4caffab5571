#include "tests/support/private_engine.hpp"

#include "messages/ids.hpp"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace troupe::tests {

namespace {

using namespace std::chrono_literals;

bool is_installed(const std::string& program) {
  const auto* path = std::getenv("PATH");
  auto folders = std::istringstream{std::string{path != nullptr ? path : ""} + ":/usr/sbin:/sbin"};
  for (auto folder = std::string{}; std::getline(folders, folder, ':');)
    if (::access((folder + '/' + program).c_str(), X_OK) == 0)
      return true;
  return false;
}

bool answers(const std::string& socket) {
  auto address = sockaddr_un{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, socket.c_str(), sizeof address.sun_path - 1);
  auto fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  auto connected = ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  ::close(fd);
  return connected;
}

std::string file_text(const std::string& path) {
  auto in = std::ifstream{path};
  return {std::istreambuf_iterator<char>{in}, {}};
}

} // namespace

private_engine::private_engine() : socket_{folder_.path() + "/engine.sock"} {
  for (const auto* program : {"podman", "runc", "conmon", "debootstrap", "curl"})
    if (!is_installed(program))
      throw std::runtime_error{"please install the package " + std::string{program}};
  // runc and small rlimits, because nested hosts grant no more (spec/testing.md 5.1).
  std::ofstream{folder_.path() + "/containers.conf"}
    << "[containers]\ndefault_ulimits = [\"nofile=1024:1024\",\"nproc=1024:1024\"]\n"
       "[engine]\nruntime = \"runc\"\n";
  start();
  auto made =
    run_process({TROUPE_SOURCE_DIR "/nodes/image-bootstrap", "--socket", socket_}, {}, 600s);
  if (made.exit_code != 0)
    throw std::runtime_error{"no image debian:12: " + made.output};
}

private_engine::~private_engine() {
  stop();
}

void private_engine::start() {
  auto log = folder_.path() + "/engine.log";
  std::filesystem::remove(socket_);
  // It ends with us, however we end. In a folder of its own: conmon leaves a file "oom" where the
  // service was started.
  service_ = std::make_unique<child_process>(
    std::vector<std::string>{"setpriv", "--pdeathsig", "KILL", "env", "--chdir=" + folder_.path(),
                             "podman", "system", "service", "--time=0", "unix://" + socket_},
    std::vector<std::string>{"CONTAINERS_CONF=" + folder_.path() + "/containers.conf"}, log);
  if (!await(30s, [this] { return answers(socket_); }))
    throw std::runtime_error{"podman does not start: " + file_text(log)};
}

void private_engine::stop() {
  if (!service_)
    return;
  service_->signal(SIGTERM);
  // Destroying the object kills what does not listen.
  static_cast<void>(service_->wait(5s));
  service_.reset();
}

private_engine& private_engine::shared() {
  static auto engine = private_engine{};
  return engine;
}

std::string unique_runner() {
  return "test-" + random_token();
}

} // namespace troupe::tests
