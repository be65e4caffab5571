#include "tests/support/tcp_gate.hpp"

#include "tests/support/tcp_gate_link.hpp"

#include <netinet/in.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <functional>
#include <future>
#include <list>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

namespace troupe::tests {

namespace {

/// Two sockets may have the port: one holds it, one listens, and only while nothing is refused.
int bind_gate(uint16_t port) {
  auto fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  auto on = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
  auto at = sockaddr_in{};
  at.sin_family = AF_INET;
  at.sin_port = htons(port);
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (bind(fd, reinterpret_cast<sockaddr*>(&at), sizeof at) != 0)
    throw std::runtime_error{"the gate has no port"};
  return fd;
}

uint16_t port_of(int fd) {
  auto at = sockaddr_in{};
  auto size = socklen_t{sizeof at};
  getsockname(fd, reinterpret_cast<sockaddr*>(&at), &size);
  return ntohs(at.sin_port);
}

timespec until(gate_clock::time_point at, gate_clock::time_point now) {
  auto left = std::clamp<std::chrono::nanoseconds>(at - now, std::chrono::nanoseconds{0},
                                                   std::chrono::seconds{1});
  return {left.count() / 1'000'000'000, left.count() % 1'000'000'000};
}

} // namespace

struct tcp_gate::state {
  state(uint16_t target_port, uint64_t seed) : target{target_port} {
    wire.random.seed(seed);
    listen_now();
    thread = std::thread{[this] { run(); }};
  }

  ~state() {
    tell([this] { over = true; });
    thread.join();
    links.clear();
    for (auto fd : {holder, listener, bell})
      if (fd >= 0)
        close(fd);
  }

  /// Runs something on the gate's thread and waits for it.
  void tell(std::function<void()> what) {
    auto task = std::packaged_task<void()>{std::move(what)};
    auto done = task.get_future();
    {
      auto lock = std::lock_guard{mutex};
      told.push_back(std::move(task));
    }
    auto one = uint64_t{1};
    static_cast<void>(!::write(bell, &one, sizeof one));
    done.get();
  }

  void listen_now() {
    if (listener >= 0)
      return;
    listener = bind_gate(port);
    if (listen(listener, 512) != 0)
      throw std::runtime_error{"the gate cannot listen"};
  }

  void run() {
    auto watched = std::vector<pollfd>{};
    while (!over) {
      auto now = gate_clock::now();
      auto next = now + std::chrono::seconds{1};
      watched.assign({{bell, POLLIN, 0}, {listener, POLLIN, 0}});
      for (const auto& link : links) {
        link.watch(wire, now, watched);
        next = std::min(next, link.wakes(wire, now));
      }
      auto wait = until(next, now);
      ppoll(watched.data(), watched.size(), &wait, nullptr);
      work(watched);
      if (watched[1].revents != 0)
        accept_all();
      if (watched[0].revents != 0)
        obey();
    }
  }

  void work(const std::vector<pollfd>& seen) {
    auto now = gate_clock::now();
    auto at = seen.data() + 2;
    for (auto i = links.begin(); i != links.end(); at += 2)
      i = i->work(wire, now, at) ? std::next(i) : links.erase(i);
  }

  void accept_all() {
    while (true) {
      auto fd = accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (fd < 0)
        return;
      ++wire.counts.accepted;
      links.emplace_back(fd, target);
    }
  }

  void obey() {
    auto count = uint64_t{0};
    static_cast<void>(!::read(bell, &count, sizeof count));
    auto now = std::vector<std::packaged_task<void()>>{};
    {
      auto lock = std::lock_guard{mutex};
      now.swap(told);
    }
    for (auto& task : now)
      task();
  }

  int holder = bind_gate(0);
  uint16_t port = port_of(holder);
  int listener = -1;
  int bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  uint16_t target;
  bool over = false;
  gate_wire wire;
  std::list<gate_link> links;
  std::mutex mutex;
  std::vector<std::packaged_task<void()>> told;
  std::thread thread;
};

tcp_gate::tcp_gate(uint16_t target_port, uint64_t seed)
  : state_{std::make_unique<state>(target_port, seed)} {}

tcp_gate::~tcp_gate() = default;

uint16_t tcp_gate::port() const {
  return state_->port;
}

std::string tcp_gate::address() const {
  return "127.0.0.1:" + std::to_string(port());
}

void tcp_gate::pass() {
  state_->tell([&s = *state_] {
    s.wire.faults = {};
    for (auto& flips : s.wire.flips)
      flips.forget();
    s.listen_now();
  });
}

void tcp_gate::cut(gate_cut how) {
  state_->tell([&s = *state_, how] {
    // Who was let in by the system but not yet by us is cut too.
    if (s.listener >= 0)
      s.accept_all();
    s.wire.counts.cut += s.links.size();
    for (auto& link : s.links)
      link.cut(how);
    if (how == gate_cut::reset)
      s.links.clear();
  });
}

void tcp_gate::refuse() {
  state_->tell([&s = *state_] {
    if (s.listener >= 0)
      close(std::exchange(s.listener, -1));
  });
}

void tcp_gate::freeze(gate_way way) {
  state_->tell([&s = *state_, way] { s.wire.faults.frozen |= static_cast<uint8_t>(way); });
}

void tcp_gate::delay(std::chrono::milliseconds each_way) {
  state_->tell([&s = *state_, each_way] { s.wire.faults.delay = each_way; });
}

void tcp_gate::corrupt(gate_way way, uint32_t bits, uint64_t window) {
  state_->tell([&s = *state_, way, bits, window] {
    for (auto i = 0U; i < 2; ++i)
      if ((static_cast<unsigned>(way) >> i & 1U) != 0)
        s.wire.flips[i].choose(bits, window, s.wire.random);
  });
}

void tcp_gate::split(size_t most) {
  state_->tell([&s = *state_, most] { s.wire.faults.split = most; });
}

void tcp_gate::throttle(uint64_t bytes_per_second) {
  state_->tell([&s = *state_, bytes_per_second] { s.wire.faults.throttle = bytes_per_second; });
}

void tcp_gate::set_target(uint16_t port) {
  state_->tell([&s = *state_, port] { s.target = port; });
}

gate_counts tcp_gate::counts() const {
  auto out = gate_counts{};
  state_->tell([&s = *state_, &out] {
    out = s.wire.counts;
    out.open = s.links.size();
  });
  return out;
}

} // namespace troupe::tests
