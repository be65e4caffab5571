#include "nodes/cluster/transport_socket.hpp"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <memory>

namespace troupe {

namespace {

void set_option(int fd, int level, int option, int value) {
  setsockopt(fd, level, option, &value, sizeof value);
}

const void* host_bytes(const sockaddr_storage& of) {
  if (of.ss_family == AF_INET)
    return &reinterpret_cast<const sockaddr_in&>(of).sin_addr;
  return &reinterpret_cast<const sockaddr_in6&>(of).sin6_addr;
}

const sockaddr* plain(const socket_address& of) {
  return reinterpret_cast<const sockaddr*>(&of.bytes);
}

std::string place_of(const socket_address& of) {
  return of.host() + " port " + std::to_string(of.port());
}

} // namespace

std::string socket_address::host() const {
  auto text = std::array<char, INET6_ADDRSTRLEN>{};
  if (inet_ntop(bytes.ss_family, host_bytes(bytes), text.data(), text.size()) == nullptr)
    return "?";
  // A listener on both families sees IPv4 peers as "::ffff:192.0.2.1".
  constexpr auto mapped = std::string_view{"::ffff:"};
  auto out = std::string{text.data()};
  if (out.starts_with(mapped) && out.find('.') != std::string::npos)
    out.erase(0, mapped.size());
  return out;
}

std::string socket_address::network() const {
  auto whole = reinterpret_cast<const sockaddr_in6&>(bytes);
  if (bytes.ss_family != AF_INET6 || IN6_IS_ADDR_V4MAPPED(&whole.sin6_addr))
    return host();
  // Whoever has one address of these has all of them.
  std::memset(whole.sin6_addr.s6_addr + 8, 0, 8);
  auto out = *this;
  std::memcpy(&out.bytes, &whole, sizeof whole);
  return out.host() + "/64";
}

uint16_t socket_address::port() const {
  return ntohs(bytes.ss_family == AF_INET ? reinterpret_cast<const sockaddr_in&>(bytes).sin_port
                                          : reinterpret_cast<const sockaddr_in6&>(bytes).sin6_port);
}

caf::expected<std::vector<socket_address>> addresses_of(const std::string& host, uint16_t port,
                                                        resolve how) {
  auto hints = addrinfo{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV | (how == resolve::numbers ? AI_NUMERICHOST : AI_ADDRCONFIG);
  addrinfo* found = nullptr;
  auto code = getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found);
  if (code != 0)
    return fault_at(ec::unavailable, host, std::string{"has no address: "} + gai_strerror(code));
  auto guard = std::unique_ptr<addrinfo, void (*)(addrinfo*)>{found, freeaddrinfo};
  auto out = std::vector<socket_address>{};
  for (auto x = found; x != nullptr; x = x->ai_next)
    if (x->ai_family == AF_INET || x->ai_family == AF_INET6) {
      auto& to = out.emplace_back();
      std::memcpy(&to.bytes, x->ai_addr, x->ai_addrlen);
      to.size = x->ai_addrlen;
    }
  if (out.empty())
    return fault_at(ec::unavailable, host, "has no IP address");
  return out;
}

caf::expected<owned_fd> listen_on(const socket_address& at) {
  auto fd = owned_fd{::socket(at.bytes.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
  if (fd) {
    set_option(fd.get(), SOL_SOCKET, SO_REUSEADDR, 1);
    if (::bind(fd.get(), plain(at), at.size) == 0 && ::listen(fd.get(), SOMAXCONN) == 0)
      return fd;
  }
  auto code = errno == EADDRNOTAVAIL ? ec::invalid_argument : ec::unavailable;
  return fault_at(code, place_of(at), std::string{"cannot listen: "} + std::strerror(errno));
}

caf::expected<owned_fd> start_connect(const socket_address& to) {
  auto fd = owned_fd{::socket(to.bytes.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
  if (fd && (::connect(fd.get(), plain(to), to.size) == 0 || errno == EINPROGRESS))
    return fd;
  return fault_at(ec::unavailable, place_of(to),
                  std::string{"cannot connect: "} + std::strerror(errno));
}

int connect_fault(int fd) {
  auto fault = 0;
  auto size = static_cast<socklen_t>(sizeof fault);
  return getsockopt(fd, SOL_SOCKET, SO_ERROR, &fault, &size) == 0 ? fault : errno;
}

void tune_connection(int fd) {
  set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
  set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
  set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, 10);
  set_option(fd, IPPROTO_TCP, TCP_KEEPINTVL, 5);
  set_option(fd, IPPROTO_TCP, TCP_KEEPCNT, 3);
  set_option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, 20'000);
}

} // namespace troupe
