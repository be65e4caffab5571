#include "tests/support/raw_http.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <utility>

namespace troupe::tests {

namespace {

constexpr auto patience = 20'000; ///< Milliseconds.

sockaddr_in address_of(const char* text, uint16_t port) {
  auto out = sockaddr_in{};
  out.sin_family = AF_INET;
  out.sin_port = htons(port);
  ::inet_pton(AF_INET, text, &out.sin_addr);
  return out;
}

bool wait_for(int fd, short what) {
  auto x = pollfd{fd, what, 0};
  return ::poll(&x, 1, patience) > 0;
}

} // namespace

raw_http::raw_http() : fd_{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)} {}

raw_http::raw_http(uint16_t port, const char* from) : raw_http{} {
  connect(port, from);
}

void raw_http::connect(uint16_t port, const char* from) {
  auto here = address_of(from, 0);
  auto there = address_of("127.0.0.1", port);
  // The port is chosen at connect, so that many sockets fit behind one address.
  auto on = 1;
  ::setsockopt(fd_, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
  if (::bind(fd_, reinterpret_cast<sockaddr*>(&here), sizeof here) != 0
      || ::connect(fd_, reinterpret_cast<sockaddr*>(&there), sizeof there) != 0)
    ::close(std::exchange(fd_, -1));
}

raw_http::~raw_http() {
  if (fd_ >= 0)
    ::close(fd_);
}

raw_http::raw_http(raw_http&& other) noexcept
  : fd_{std::exchange(other.fd_, -1)}, left_{std::move(other.left_)} {}

raw_http& raw_http::operator=(raw_http&& other) noexcept {
  std::swap(fd_, other.fd_);
  std::swap(left_, other.left_);
  return *this;
}

long raw_http::send_some(std::string_view bytes) {
  auto count = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  return count < 0 && errno == EAGAIN ? 0 : count;
}

bool raw_http::send(std::string_view bytes) {
  while (!bytes.empty()) {
    auto count = send_some(bytes);
    if (count < 0 || (count == 0 && !wait_for(fd_, POLLOUT)))
      return false;
    bytes.remove_prefix(static_cast<size_t>(count));
  }
  return true;
}

bool raw_http::receive() {
  auto piece = std::array<char, 16384>{};
  if (!wait_for(fd_, POLLIN))
    return false;
  auto count = ::recv(fd_, piece.data(), piece.size(), 0);
  if (count <= 0)
    return false;
  left_.append(piece.data(), static_cast<size_t>(count));
  return true;
}

std::string raw_http::read_until(std::string_view mark) {
  auto at = left_.find(mark);
  while (at == left_.npos && receive())
    at = left_.find(mark);
  auto size = at == left_.npos ? left_.size() : at + mark.size();
  auto out = left_.substr(0, size);
  left_.erase(0, size);
  return out;
}

std::string raw_http::read_answer(bool has_body) {
  auto out = read_until("\r\n\r\n");
  auto at = out.find("Content-Length: ");
  if (!has_body || at == out.npos)
    return out;
  auto size = size_t{0};
  std::from_chars(out.data() + at + 16, out.data() + out.size(), size);
  while (left_.size() < size && receive()) {
  }
  size = std::min(size, left_.size());
  out += left_.substr(0, size);
  left_.erase(0, size);
  return out;
}

std::string raw_http::read_all() {
  while (receive()) {
  }
  return std::exchange(left_, {});
}

bool raw_http::closed() {
  auto byte = char{};
  if (!left_.empty() || !wait_for(fd_, POLLIN))
    return false;
  return ::recv(fd_, &byte, 1, MSG_PEEK | MSG_DONTWAIT) <= 0;
}

void raw_http::end_sending() {
  ::shutdown(fd_, SHUT_WR);
}

void raw_http::shrink_receive_buffer() {
  auto size = 4096;
  ::setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
}

int status_of(std::string_view answer) {
  auto out = 0;
  if (answer.starts_with("HTTP/1.1 ") && answer.size() > 12)
    std::from_chars(answer.data() + 9, answer.data() + 12, out);
  return out;
}

} // namespace troupe::tests
