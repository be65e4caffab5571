#include "tests/support/private_broker.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <random>
#include <stdexcept>

namespace troupe::tests {

namespace {

using namespace std::chrono_literals;

constexpr auto library = "/usr/lib/rabbitmq/bin/";

/// Returns a port that nobody uses now, below those that the kernel gives to others: the
/// server takes it seconds later, and again after each crash.
uint16_t free_port() {
  auto chance = std::random_device{};
  auto any = std::uniform_int_distribution<int>{15'000, 32'000};
  for (auto i = 0; i < 100; ++i) {
    auto fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    auto address = sockaddr_in{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    auto port = static_cast<uint16_t>(any(chance));
    address.sin_port = htons(port);
    auto bound = ::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
    ::close(fd);
    if (bound)
      return port;
  }
  throw std::runtime_error{"no free port"};
}

/// A connection to a port of this machine, -1 if nobody listens.
int connect_to(uint16_t port) {
  auto fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  auto limit = timeval{2, 0};
  ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  auto address = sockaddr_in{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  if (::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0)
    return fd;
  ::close(fd);
  return -1;
}

bool listens(uint16_t port) {
  auto fd = connect_to(port);
  ::close(fd);
  return fd >= 0;
}

/// True if the server greets: it answers a wrong protocol header with the right one.
bool greets(uint16_t port) {
  auto fd = connect_to(port);
  char answer[4] = {};
  auto greeted = fd >= 0 && ::send(fd, "AMQP\0\0\0\0", 8, MSG_NOSIGNAL) == 8
                 && ::recv(fd, answer, 4, MSG_WAITALL) == 4 && std::string(answer, 4) == "AMQP";
  ::close(fd);
  return greeted;
}

} // namespace

private_broker::private_broker(std::vector<std::string> settings, const tls_files* tls)
  : port_{free_port()}, dist_port_{free_port()}, epmd_port_{free_port()} {
  if (!std::filesystem::exists(std::string{library} + "rabbitmq-server"))
    throw std::runtime_error{"please install the package rabbitmq-server"};
  name_ = "troupe" + std::to_string(::getpid()) + '_' + std::to_string(port_);
  auto conf = std::ofstream{folder_.path() + "/rabbitmq.conf"};
  conf << "listeners.tcp.local = 127.0.0.1:" << port_ << '\n'
       << "loopback_users = none\n"
          "disk_free_limit.absolute = 50MB\n"
          "log.console = false\nlog.file.level = info\n";
  if (tls) {
    tls_port_ = free_port();
    conf << "listeners.ssl.local = 127.0.0.1:" << tls_port_ << '\n'
         << "ssl_options.cacertfile = " << tls->authority << '\n'
         << "ssl_options.certfile = " << tls->certificate << '\n'
         << "ssl_options.keyfile = " << tls->key << '\n'
         << "ssl_options.verify = verify_none\n";
  }
  for (const auto& line : settings)
    conf << line << '\n';
  conf.close();
  std::ofstream{folder_.path() + "/enabled_plugins"} << "[].\n";
  start();
}

private_broker::~private_broker() {
  if (server_)
    server_->signal(SIGCONT);
}

/// Through env, which replaces what this process has of the same names.
std::vector<std::string> private_broker::command(const std::string& program) const {
  const auto& at = folder_.path();
  return {"/usr/bin/env", "HOME=" + at,
          // The program then replaces itself by the server, so signals reach it.
          "RUNNING_UNDER_SYSTEMD=true", "RABBITMQ_NODENAME=" + name_ + "@localhost",
          "RABBITMQ_NODE_IP_ADDRESS=127.0.0.1", "RABBITMQ_NODE_PORT=" + std::to_string(port_),
          "RABBITMQ_DIST_PORT=" + std::to_string(dist_port_),
          "RABBITMQ_CONFIG_FILE=" + at + "/rabbitmq", "RABBITMQ_CONF_ENV_FILE=" + at + "/none",
          "RABBITMQ_ENABLED_PLUGINS_FILE=" + at + "/enabled_plugins",
          "RABBITMQ_MNESIA_BASE=" + at + "/mnesia", "RABBITMQ_LOG_BASE=" + at + "/log",
          "RABBITMQ_PID_FILE=" + at + "/pid",
          // Beside others on few cores: no busy waiting, few schedulers.
          "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS=+sbwt none +sbwtdcpu none +sbwtdio none +S 2:2 "
          "-kernel inet_dist_use_interface {127,0,0,1}",
          "RABBITMQ_CTL_ERL_ARGS=-kernel inet_dist_use_interface {127,0,0,1}",
          "ERL_EPMD_PORT=" + std::to_string(epmd_port_), "ERL_EPMD_ADDRESS=127.0.0.1",
          "LC_ALL=C.UTF-8", program};
}

bool private_broker::accepts() const {
  return greets(port_) && (tls_port_ == 0 || listens(tls_port_));
}

void private_broker::start() {
  if (!epmd_)
    epmd_ = std::make_unique<child_process>(command("/usr/bin/epmd"), std::vector<std::string>{},
                                            folder_.path() + "/epmd.out");
  server_ =
    std::make_unique<child_process>(command(std::string{library} + "rabbitmq-server"),
                                    std::vector<std::string>{}, folder_.path() + "/server.out");
  if (await(120s, [this] { return accepts() || server_->wait(0ms); }) && accepts())
    return;
  auto in = std::ifstream{folder_.path() + "/server.out"};
  throw std::runtime_error{"rabbitmq-server does not start: "
                           + std::string{std::istreambuf_iterator<char>{in}, {}} + log()};
}

void private_broker::crash() {
  server_->signal(SIGKILL);
  server_->wait(30s);
}

void private_broker::stop() {
  server_->signal(SIGTERM);
  if (!server_->wait(60s))
    throw std::runtime_error{"rabbitmq-server does not stop"};
}

void private_broker::freeze() {
  server_->signal(SIGSTOP);
}

void private_broker::thaw() {
  server_->signal(SIGCONT);
}

std::string private_broker::control(std::vector<std::string> arguments) {
  auto argv = command(std::string{library} + "rabbitmqctl");
  argv.insert(argv.end(), {"-q", "-n", name_ + "@localhost"});
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  auto done = run_process(argv, {}, 300s);
  if (done.exit_code != 0)
    throw std::runtime_error{"rabbitmqctl " + arguments.front() + ": " + done.output};
  return done.output;
}

std::string private_broker::log() const {
  auto in = std::ifstream{folder_.path() + "/log/" + name_ + "@localhost.log"};
  return {std::istreambuf_iterator<char>{in}, {}};
}

private_broker& private_broker::shared() {
  static auto broker = private_broker{};
  return broker;
}

} // namespace troupe::tests
