#include "tests/support/tcp_gate_link.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace troupe::tests {

namespace {

constexpr auto leave_time = std::chrono::seconds{2};

int begin_call(uint16_t port) {
  auto fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  auto to = sockaddr_in{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  // What becomes of it is seen when the socket can be written to.
  static_cast<void>(connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof to));
  return fd;
}

void set_no_delay(int fd) {
  auto on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

void close_socket(int fd, bool with_reset) {
  auto at_once = linger{1, 0};
  if (with_reset)
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  close(fd);
}

/// Reads what comes and throws it away; returns whether the sender still is there.
bool discard(int fd) {
  std::array<char, 65536> buffer;
  auto n = recv(fd, buffer.data(), buffer.size(), MSG_DONTWAIT);
  return n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR));
}

} // namespace

gate_link::gate_link(int client, uint16_t target_port)
  : client_{client}, target_{begin_call(target_port)},
    to_target_{gate_way::to_target, client_, target_}, to_client_{gate_way::to_client, target_,
                                                                  client_} {
  set_no_delay(client_);
  set_no_delay(target_);
}

gate_link::~gate_link() {
  close_socket(client_, reset_);
  close_socket(target_, reset_);
}

void gate_link::watch(const gate_wire& wire, gate_clock::time_point now,
                      std::vector<pollfd>& out) const {
  auto client = pollfd{client_, 0, 0};
  auto target = pollfd{target_, 0, 0};
  if (leaving_) {
    client.events = client_left_ ? 0 : POLLIN;
    target.events = target_left_ ? 0 : POLLIN;
  } else if (calling_) {
    target.events = POLLOUT;
  } else {
    client.events = static_cast<short>((to_target_.wants_read(wire) ? POLLIN : 0)
                                       | (to_client_.wants_write(wire, now) ? POLLOUT : 0));
    target.events = static_cast<short>((to_client_.wants_read(wire) ? POLLIN : 0)
                                       | (to_target_.wants_write(wire, now) ? POLLOUT : 0));
  }
  // poll reports hang-ups unasked; whoever wants nothing now must not be woken by them.
  for (auto* side : {&client, &target})
    if (side->events == 0)
      side->fd = -1;
  out.push_back(client);
  out.push_back(target);
}

gate_clock::time_point gate_link::wakes(const gate_wire& wire, gate_clock::time_point now) const {
  if (leaving_)
    return leave_by_;
  return calling_ ? gate_clock::time_point::max()
                  : std::min(to_target_.wakes(wire, now), to_client_.wakes(wire, now));
}

bool gate_link::finish_call(gate_wire& wire, short seen) {
  if (seen == 0)
    return true;
  auto reason = 0;
  auto size = socklen_t{sizeof reason};
  getsockopt(target_, SOL_SOCKET, SO_ERROR, &reason, &size);
  calling_ = false;
  reset_ = reason != 0;
  wire.counts.unreachable += reset_ ? 1 : 0;
  return !reset_;
}

bool gate_link::drain(gate_clock::time_point now) {
  client_left_ = client_left_ || !discard(client_);
  target_left_ = target_left_ || !discard(target_);
  return now < leave_by_ && !(client_left_ && target_left_);
}

bool gate_link::work(gate_wire& wire, gate_clock::time_point now, const pollfd* seen) {
  if (leaving_)
    return drain(now);
  if (calling_)
    return finish_call(wire, seen[1].revents);
  auto alive = true;
  if (seen[0].revents != 0 && to_target_.wants_read(wire))
    alive = to_target_.read(wire, now);
  if (alive && seen[1].revents != 0 && to_client_.wants_read(wire))
    alive = to_client_.read(wire, now);
  alive = alive && to_target_.write(wire, now) && to_client_.write(wire, now);
  // The one side broke: so does the other.
  reset_ = !alive;
  return alive && !(to_target_.done() && to_client_.done());
}

void gate_link::cut(gate_cut how) {
  reset_ = how == gate_cut::reset;
  if (reset_)
    return;
  leaving_ = true;
  leave_by_ = gate_clock::now() + leave_time;
  shutdown(client_, SHUT_WR);
  shutdown(target_, SHUT_WR);
}

} // namespace troupe::tests
