#include "tests/support/private_redis.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <filesystem>
#include <stdexcept>

namespace troupe::tests {

namespace {

constexpr auto password = "s3cret";

uint16_t free_port() {
  auto fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  auto at = sockaddr_in{};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  auto size = socklen_t{sizeof at};
  bind(fd, reinterpret_cast<sockaddr*>(&at), size);
  getsockname(fd, reinterpret_cast<sockaddr*>(&at), &size);
  close(fd);
  return ntohs(at.sin_port);
}

} // namespace

private_redis::private_redis() : port_{free_port()} {
  if (!std::filesystem::exists("/usr/bin/redis-server"))
    throw std::runtime_error{"redis-server is missing: install the package redis-server"};
  server_ = std::make_unique<child_process>(
    std::vector<std::string>{"/usr/bin/redis-server", "--port", std::to_string(port_), "--bind",
                             "127.0.0.1", "--save", "", "--dir", folder_.path(), "--requirepass",
                             password},
    std::vector<std::string>{}, folder_.path() + "/redis.log");
  if (!await(std::chrono::seconds{30}, [this] { return call({"PING"}) == "PONG\n"; }))
    throw std::runtime_error{"redis-server does not answer"};
}

std::string private_redis::url() const {
  return std::string{"redis://:"} + password + "@127.0.0.1:" + std::to_string(port_);
}

std::string private_redis::call(std::vector<std::string> words) const {
  auto all = std::vector<std::string>{
    "/usr/bin/redis-cli", "-p", std::to_string(port_), "-a", password, "--no-auth-warning"};
  all.insert(all.end(), words.begin(), words.end());
  return run_process(all).output;
}

} // namespace troupe::tests
