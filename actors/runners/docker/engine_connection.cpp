#include "actors/runners/docker/engine_connection.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

namespace troupe {

namespace {

caf::error waiting_failed(limited_wait::outcome how) {
  return how == limited_wait::outcome::stopped ? to_error(engine_connection::outcome::stopped)
                                               : to_error(engine_connection::outcome::timeout);
}

} // namespace

std::string encode_query(std::string_view text) {
  constexpr auto digits = std::string_view{"0123456789ABCDEF"};
  auto out = std::string{};
  for (auto c : text) {
    auto plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')
                 || std::string_view{"-._~"}.find(c) != std::string_view::npos;
    if (plain) {
      out.push_back(c);
      continue;
    }
    auto byte = static_cast<uint8_t>(c);
    out += {'%', digits[byte >> 4], digits[byte & 15]};
  }
  return out;
}

std::string request_bytes(const engine_request& what) {
  auto out = what.method + " /v1.41" + what.target + " HTTP/1.1\r\nHost: engine\r\n";
  if (!what.body.empty())
    out += "Content-Type: " + what.content_type + "\r\n";
  if (!what.body.empty() || what.method != "GET")
    out += "Content-Length: " + std::to_string(what.body.size()) + "\r\n";
  return out + "\r\n" + what.body;
}

caf::error to_error(engine_connection::outcome how) {
  using outcome = engine_connection::outcome;
  switch (how) {
    case outcome::timeout:
      return fault(ec::timeout, "the container engine did not answer within the deadline");
    case outcome::stopped: return fault(ec::canceled, "canceled");
    case outcome::broken:
      return fault(ec::unavailable, "the container engine broke the connection or the protocol");
    default: return caf::none;
  }
}

engine_connection::~engine_connection() {
  close();
}

engine_connection::engine_connection(engine_connection&& from) noexcept
  : fd_{std::exchange(from.fd_, -1)}, reader_{std::move(from.reader_)},
    piece_{std::move(from.piece_)}, fresh_{std::exchange(from.fresh_, false)} {}

engine_connection& engine_connection::operator=(engine_connection&& from) noexcept {
  if (this != &from) {
    close();
    fd_ = std::exchange(from.fd_, -1);
    reader_ = std::move(from.reader_);
    piece_ = std::move(from.piece_);
    fresh_ = std::exchange(from.fresh_, false);
  }
  return *this;
}

void engine_connection::close() {
  if (fd_ >= 0)
    ::close(std::exchange(fd_, -1));
}

caf::expected<engine_connection> engine_connection::open(const std::string& socket,
                                                         const call_limit& limit) {
  auto address = sockaddr_un{};
  address.sun_family = AF_UNIX;
  if (socket.empty() || socket.size() >= sizeof address.sun_path)
    return fault(ec::unavailable, "bad path of the container engine's socket: '" + socket + "'");
  std::memcpy(address.sun_path, socket.c_str(), socket.size() + 1);
  auto out = engine_connection{};
  out.fd_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (out.fd_ < 0)
    return fault(ec::unavailable, std::string{"no socket: "} + std::strerror(errno));
  auto wait = limited_wait{limit};
  while (::connect(out.fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    if (errno == EINTR)
      continue;
    // EAGAIN: the listener's queue is full; a Unix socket gives no event for that.
    if (errno != EAGAIN)
      return fault(ec::unavailable,
                   "no container engine at " + socket + ": " + std::strerror(errno));
    if (auto how = wait.pause(std::chrono::milliseconds{20}); how != limited_wait::outcome::ready)
      return waiting_failed(how);
  }
  return out;
}

caf::error engine_connection::ask(const engine_request& what, const call_limit& limit) {
  reader_ = reply_reader{};
  piece_.clear();
  if (auto why = send(request_bytes(what), limit))
    return why;
  while (!reader_.has_head())
    if (auto how = receive(limit); how != outcome::bytes && how != outcome::end)
      return to_error(how);
  fresh_ = !piece_.empty();
  return caf::none;
}

engine_connection::outcome engine_connection::next(const call_limit& limit) {
  if (std::exchange(fresh_, false))
    return outcome::bytes;
  piece_.clear();
  while (piece_.empty()) {
    if (reader_.complete())
      return outcome::end;
    if (auto how = receive(limit); how != outcome::bytes)
      return how;
  }
  return outcome::bytes;
}

bool engine_connection::reusable() const {
  if (fd_ < 0 || !reader_.keeps_alive())
    return false;
  // A peer that has closed since then shows up as readable.
  auto peek = pollfd{fd_, POLLIN, 0};
  return ::poll(&peek, 1, 0) == 0;
}

caf::error engine_connection::send(std::string_view bytes, const call_limit& limit) {
  while (!bytes.empty()) {
    auto n = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n >= 0) {
      bytes.remove_prefix(static_cast<size_t>(n));
      continue;
    }
    if (errno == EINTR)
      continue;
    // The engine may refuse a body before it has read it: the answer says why.
    if (errno == EPIPE || errno == ECONNRESET)
      return caf::none;
    if (errno != EAGAIN)
      return to_error(outcome::broken);
    if (auto how = limited_wait{limit}.wait(fd_, POLLOUT); how != limited_wait::outcome::ready)
      return waiting_failed(how);
  }
  return caf::none;
}

engine_connection::outcome engine_connection::receive(const call_limit& limit) {
  auto bytes = std::array<char, 16 << 10>{};
  for (;;) {
    // Checked here too, because a peer that never pauses never blocks us.
    if (limit.stop.stop_requested())
      return outcome::stopped;
    if (std::chrono::steady_clock::now() >= limit.until)
      return outcome::timeout;
    auto n = ::recv(fd_, bytes.data(), bytes.size(), 0);
    if (n > 0) {
      reader_.feed({bytes.data(), static_cast<size_t>(n)}, piece_);
      return reader_.broken() ? outcome::broken : outcome::bytes;
    }
    if (n < 0 && errno == EINTR)
      continue;
    if (n == 0 || errno != EAGAIN) {
      reader_.end_of_input();
      return reader_.complete() ? outcome::end : outcome::broken;
    }
    auto how = limited_wait{limit}.wait(fd_, POLLIN);
    if (how != limited_wait::outcome::ready)
      return how == limited_wait::outcome::stopped ? outcome::stopped : outcome::timeout;
  }
}

} // namespace troupe
