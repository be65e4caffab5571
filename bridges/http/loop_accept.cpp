#include "bridges/http/answer_text.hpp"
#include "bridges/http/loop.hpp"
#include "config/log.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace troupe {

namespace {

std::string text_of(const sockaddr_storage& from) {
  auto text = std::array<char, INET6_ADDRSTRLEN>{};
  if (from.ss_family == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(from);
    ::inet_ntop(AF_INET, &v4.sin_addr, text.data(), text.size());
    return text.data();
  }
  const auto& v6 = reinterpret_cast<const sockaddr_in6&>(from);
  ::inet_ntop(AF_INET6, &v6.sin6_addr, text.data(), text.size());
  auto out = std::string{text.data()};
  return out.starts_with("::ffff:") ? out.substr(7) : out;
}

/// What the limits per address count: a host with IPv6 has a whole /64 to itself.
std::string owner_of(const std::string& address) {
  auto v6 = in6_addr{};
  if (::inet_pton(AF_INET6, address.c_str(), &v6) != 1)
    return address;
  return std::string(reinterpret_cast<const char*>(v6.s6_addr), 8);
}

/// The usual soft limit of 1024 descriptors would come before our own cap.
void raise_descriptor_limit(size_t connections) {
  auto limit = rlimit{};
  auto wanted = static_cast<rlim_t>(connections) + 512;
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted)
    return;
  limit.rlim_cur = std::min(wanted, limit.rlim_max);
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

int open_spare() {
  return ::open("/dev/null", O_RDONLY | O_CLOEXEC);
}

} // namespace

caf::error http_server::loop::listen() {
  auto place = options_.address + ":" + std::to_string(options_.port);
  auto hints = addrinfo{};
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  hints.ai_socktype = SOCK_STREAM;
  auto found = static_cast<addrinfo*>(nullptr);
  auto port = std::to_string(options_.port);
  if (auto code = ::getaddrinfo(options_.address.c_str(), port.c_str(), &hints, &found))
    return fault_at(ec::unavailable, place, ::gai_strerror(code));
  auto list = std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)>{found, &::freeaddrinfo};
  listener_ = ::socket(list->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  auto on = 1;
  ::setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (listener_ < 0 || ::bind(listener_, list->ai_addr, list->ai_addrlen) != 0
      || ::listen(listener_, 1024) != 0)
    return fault_at(ec::unavailable, place, std::string{"cannot listen: "} + std::strerror(errno));
  auto bound = sockaddr_storage{};
  auto size = socklen_t{sizeof bound};
  ::getsockname(listener_, reinterpret_cast<sockaddr*>(&bound), &size);
  port_ = ntohs(bound.ss_family == AF_INET6 ? reinterpret_cast<sockaddr_in6&>(bound).sin6_port
                                            : reinterpret_cast<sockaddr_in&>(bound).sin_port);
  spare_ = open_spare();
  raise_descriptor_limit(options_.max_connections);
  return caf::none;
}

void http_server::loop::accept_all() {
  // A bounded number per round: those who are already here come next.
  for (auto i = 0; i < 64 && listener_ >= 0; ++i) {
    auto from = sockaddr_storage{};
    auto size = socklen_t{sizeof from};
    auto fd =
      ::accept4(listener_, reinterpret_cast<sockaddr*>(&from), &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0)
      admit(fd, text_of(from));
    else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
      return accept_starved();
    else if (errno == EAGAIN || errno == EWOULDBLOCK)
      return;
  }
}

/// Out of descriptors: takes one client off the queue with the spare one, so
/// that it learns at once, then pauses. Retrying at once would spin.
void http_server::loop::accept_starved() {
  if (spare_ >= 0) {
    ::close(std::exchange(spare_, -1));
    if (auto fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC); fd >= 0)
      ::close(fd);
    spare_ = open_spare();
  }
  ++counts_.refused;
  if (accept_again_ == http_connection::never) {
    log(log_level::error, "http", "out of file descriptors, new connections wait");
    ::epoll_ctl(epoll_, EPOLL_CTL_DEL, listener_, nullptr);
  }
  accept_again_ = now_ + std::chrono::milliseconds{100};
}

void http_server::loop::resume_accept() {
  accept_again_ = http_connection::never;
  auto event = epoll_event{};
  event.events = EPOLLIN;
  event.data.u64 = 1;
  if (listener_ >= 0)
    ::epoll_ctl(epoll_, EPOLL_CTL_ADD, listener_, &event);
}

void http_server::loop::admit(int fd, std::string address) {
  ++counts_.accepted;
  auto owner = owner_of(address);
  auto& of_owner = per_address_[owner];
  if (connections_.size() >= options_.max_connections
      || of_owner >= options_.max_connections_per_address) {
    if (of_owner == 0)
      per_address_.erase(owner);
    ++counts_.refused;
    auto answer = error_answer(503, "saturated", "too many connections");
    answer.headers.emplace("Retry-After", "1");
    auto text = answer_head(answer, "none", answer_end::length, false) + answer.body;
    // One try: whoever is over the cap gets no memory and no second chance.
    [[maybe_unused]] auto sent = ::send(fd, text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    ::close(fd);
    return;
  }
  auto on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  auto id = next_id_++;
  auto event = epoll_event{};
  event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
  event.data.u64 = id;
  if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) != 0) {
    ::close(fd);
    ++counts_.refused;
    return;
  }
  ++of_owner;
  auto c = std::make_unique<http_connection>(fd, id, std::move(address), options_);
  c->owner = std::move(owner);
  c->since = now_;
  arm(*c);
  connections_.emplace(id, std::move(c));
  counts_.open = connections_.size();
}

/// The object itself lives until the end of the round, so that callers further
/// up may still look at `c.now`.
void http_server::loop::close(http_connection& c) {
  if (c.now == phase::closed)
    return;
  auto node = connections_.extract(c.id);
  closed_.push_back(std::move(node.mapped()));
  c.now = phase::closed;
  ::close(c.fd);
  unfinished_ -= c.held;
  unsent_ -= c.unsent_held;
  counts_.buffered = unfinished_ + working_ + unsent_;
  if (auto i = per_address_.find(c.owner); i != per_address_.end() && --i->second == 0)
    per_address_.erase(i);
  if (c.stream) {
    c.stream->gone = true;
    --counts_.streams;
  }
  counts_.open = connections_.size();
  if (c.flushed)
    std::exchange(c.flushed, nullptr)(false);
}

void http_server::loop::account(http_connection& c) {
  auto held = c.framer.held() + c.ahead.capacity();
  unfinished_ += held - c.held;
  c.held = held;
  auto unsent = c.unsent.capacity();
  unsent_ += unsent - c.unsent_held;
  c.unsent_held = unsent;
  counts_.buffered = unfinished_ + working_ + unsent_;
}

/// Keeps all unfinished requests together within their limit: whoever holds
/// most pays, counted by address first. False if that was `c`.
bool http_server::loop::make_room(http_connection& c) {
  account(c);
  while (unfinished_ + working_ > options_.max_buffered) {
    auto by_owner = std::unordered_map<std::string_view, size_t>{};
    for (const auto& [_, x] : connections_)
      by_owner[x->owner] += x->held;
    auto heaviest = static_cast<http_connection*>(nullptr);
    auto weight = [&](const http_connection& x) { return std::pair{by_owner[x.owner], x.held}; };
    for (const auto& [_, x] : connections_)
      if (x->now == phase::reading && !x->framer.untouched()
          && (heaviest == nullptr || weight(*x) > weight(*heaviest)))
        heaviest = x.get();
    if (heaviest == nullptr)
      heaviest = &c;
    ++counts_.bad_requests;
    auto answer = error_answer(503, "saturated", "too many bytes are waiting");
    answer.headers.emplace("Retry-After", "1");
    refuse(*heaviest, std::move(answer));
    if (heaviest == &c)
      return false;
    if (!std::exchange(heaviest->queued, true))
      more_to_read_.push_back(heaviest->id); // So that it hears of it.
  }
  return true;
}

} // namespace troupe
