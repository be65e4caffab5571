/// The gate through which other tests break connections: every fault alone,
/// between plain sockets.
#include "tests/support/child_process.hpp"
#include "tests/support/tcp_gate.hpp"

#include <catch2/catch.hpp>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <random>
#include <thread>
#include <utility>
#include <vector>

using namespace troupe;
using namespace std::chrono_literals;
using tests::gate_cut;
using tests::gate_way;
using tests::tcp_gate;

namespace {

/// A socket of 127.0.0.1 that gives up after 10 s.
class peer {
public:
  explicit peer(int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) : fd_{fd} {
    auto limit = timeval{10, 0};
    setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  }
  peer(peer&& other) noexcept : fd_{std::exchange(other.fd_, -1)} {}
  ~peer() {
    close();
  }
  void close() {
    if (fd_ >= 0)
      ::close(std::exchange(fd_, -1));
  }
  /// Returns 0 or the error number.
  int connect(uint16_t port) {
    auto to = sockaddr_in{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return ::connect(fd_, reinterpret_cast<sockaddr*>(&to), sizeof to) == 0 ? 0 : errno;
  }
  bool send(const std::string& bytes) {
    auto sent = size_t{0};
    while (sent < bytes.size()) {
      auto n = ::send(fd_, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
      if (n <= 0)
        return false;
      sent += static_cast<size_t>(n);
    }
    return true;
  }
  std::string receive(size_t size) {
    auto out = std::string(size, '\0');
    auto n = ::recv(fd_, out.data(), size, MSG_WAITALL);
    out.resize(n < 0 ? 0 : static_cast<size_t>(n));
    return out;
  }
  /// How the connection ended: 0 by FIN, else the error number; -1: there are bytes.
  int end() {
    auto byte = '\0';
    auto n = ::recv(fd_, &byte, 1, 0);
    return n > 0 ? -1 : n == 0 ? 0 : errno;
  }
  bool has_bytes() const {
    auto seen = pollfd{fd_, POLLIN, 0};
    return poll(&seen, 1, 0) > 0;
  }
  void finish() {
    shutdown(fd_, SHUT_WR);
  }
  int fd() const {
    return fd_;
  }

private:
  int fd_;
};

/// A target that listens, and a gate before it.
struct wire {
  explicit wire(uint64_t seed = 1) : gate{listen_on(listener), seed} {}

  static uint16_t listen_on(const peer& with) {
    auto at = sockaddr_in{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    auto size = socklen_t{sizeof at};
    REQUIRE(bind(with.fd(), reinterpret_cast<sockaddr*>(&at), size) == 0);
    REQUIRE(listen(with.fd(), 64) == 0);
    getsockname(with.fd(), reinterpret_cast<sockaddr*>(&at), &size);
    return ntohs(at.sin_port);
  }
  std::pair<peer, peer> connect() {
    auto client = peer{};
    REQUIRE(client.connect(gate.port()) == 0);
    auto target = peer{accept(listener.fd(), nullptr, nullptr)};
    REQUIRE(target.fd() >= 0);
    return {std::move(client), std::move(target)};
  }

  peer listener;
  tcp_gate gate;
};

std::string random_bytes(size_t size) {
  auto random = std::mt19937{7};
  auto out = std::string(size, '\0');
  for (auto& c : out)
    c = static_cast<char>(random());
  return out;
}

/// Places of the bits that differ.
std::vector<size_t> different_bits(const std::string& a, const std::string& b) {
  REQUIRE(a.size() == b.size());
  auto out = std::vector<size_t>{};
  for (auto i = size_t{0}; i < a.size() * 8; ++i)
    if (((a[i / 8] ^ b[i / 8]) >> (i % 8) & 1) != 0)
      out.push_back(i);
  return out;
}

} // namespace

TEST_CASE("a gate passes bytes and ends both ways") {
  auto it = wire{};
  auto [client, target] = it.connect();
  auto bytes = random_bytes(100'000);
  REQUIRE(client.send(bytes));
  CHECK(target.receive(bytes.size()) == bytes);
  // One way may end before the other.
  client.finish();
  CHECK(target.end() == 0);
  REQUIRE(target.send("still here"));
  CHECK(client.receive(10) == "still here");
  target.finish();
  CHECK(client.end() == 0);
  CHECK(tests::await(10s, [&] { return it.gate.counts().open == 0; }));
  auto counts = it.gate.counts();
  CHECK(counts.accepted == 1);
  CHECK(counts.bytes_to_target == bytes.size());
  CHECK(counts.bytes_to_client == 10);
}

TEST_CASE("a cut ends what is open, by reset or by an orderly end, and nothing else") {
  auto it = wire{};
  auto how = GENERATE(gate_cut::reset, gate_cut::finish);
  auto [client, target] = it.connect();
  REQUIRE(client.send("x"));
  REQUIRE(target.receive(1) == "x");
  it.gate.cut(how);
  auto wanted = how == gate_cut::reset ? ECONNRESET : 0;
  CHECK(client.end() == wanted);
  CHECK(target.end() == wanted);
  CHECK(it.gate.counts().cut == 1);
  client.close();
  target.close();
  CHECK(tests::await(10s, [&] { return it.gate.counts().open == 0; }));
  auto [next, other] = it.connect();
  REQUIRE(next.send("y"));
  CHECK(other.receive(1) == "y");
}

TEST_CASE("after a cut by an orderly end nothing passes any more") {
  auto it = wire{};
  auto [client, target] = it.connect();
  it.gate.cut(gate_cut::finish);
  client.send("lost");
  CHECK(target.end() == 0);
  CHECK(it.gate.counts().bytes_to_target == 0);
}

TEST_CASE("a gate refuses new connections until it passes again, at the same port") {
  auto it = wire{};
  auto [client, target] = it.connect();
  auto port = it.gate.port();
  it.gate.refuse();
  CHECK(peer{}.connect(port) == ECONNREFUSED);
  REQUIRE(client.send("old ones go on"));
  CHECK(target.receive(14) == "old ones go on");
  it.gate.pass();
  auto [next, other] = it.connect();
  CHECK(it.gate.port() == port);
  REQUIRE(other.send("z"));
  CHECK(next.receive(1) == "z");
}

TEST_CASE("a frozen way holds its bytes, the other goes on, and nothing is lost") {
  auto it = wire{};
  auto [client, target] = it.connect();
  it.gate.freeze(gate_way::to_client);
  REQUIRE(client.send("question"));
  CHECK(target.receive(8) == "question");
  REQUIRE(target.send("answer"));
  REQUIRE(client.send("more"));
  CHECK(target.receive(4) == "more");
  CHECK(!client.has_bytes());
  it.gate.freeze();
  REQUIRE(client.send("held"));
  target.finish();
  CHECK(it.gate.counts().bytes_to_target == 12);
  CHECK(it.gate.counts().bytes_to_client == 0);
  CHECK(!target.has_bytes());
  it.gate.pass();
  CHECK(client.receive(6) == "answer");
  CHECK(target.receive(4) == "held");
  CHECK(client.end() == 0);
}

TEST_CASE("a delayed byte comes no sooner") {
  auto it = wire{};
  auto [client, target] = it.connect();
  it.gate.delay(60ms);
  auto start = std::chrono::steady_clock::now();
  REQUIRE(client.send("ping"));
  REQUIRE(target.receive(4) == "ping");
  CHECK(std::chrono::steady_clock::now() - start >= 60ms);
  REQUIRE(target.send("pong"));
  REQUIRE(client.receive(4) == "pong");
  CHECK(std::chrono::steady_clock::now() - start >= 120ms);
}

TEST_CASE("what was delayed comes at once when the gate passes") {
  auto it = wire{};
  auto [client, target] = it.connect();
  it.gate.delay(1h);
  REQUIRE(client.send("late"));
  it.gate.pass();
  CHECK(target.receive(4) == "late");
}

TEST_CASE("corruption flips as many bits as it should, within its window, by the seed alone") {
  auto bytes = random_bytes(3000);
  auto flipped = [&](uint64_t seed, gate_way way) {
    auto it = wire{seed};
    auto [client, target] = it.connect();
    REQUIRE(client.send("before"));
    REQUIRE(target.receive(6) == "before");
    it.gate.corrupt(way, 16, 1000);
    REQUIRE(client.send(bytes));
    auto there = target.receive(bytes.size());
    REQUIRE(target.send(bytes));
    CHECK(different_bits(bytes, client.receive(bytes.size())).size()
          == (way == gate_way::both ? 16 : 0));
    auto out = different_bits(bytes, there);
    CHECK(it.gate.counts().flipped_bits == (way == gate_way::both ? 32 : 16));
    return out;
  };
  auto first = flipped(1, gate_way::to_target);
  REQUIRE(first.size() == 16);
  CHECK(first.back() < 8000);
  CHECK(flipped(1, gate_way::both) == first);
  CHECK(flipped(2, gate_way::to_target) != first);
}

TEST_CASE("corruption that did not happen yet is taken back") {
  auto it = wire{};
  auto [client, target] = it.connect();
  it.gate.corrupt(gate_way::both, 8, 1);
  it.gate.corrupt(gate_way::both, 8, 1); // there are no more bits: it must end
  it.gate.pass();
  REQUIRE(client.send("clean"));
  CHECK(target.receive(5) == "clean");
  CHECK(it.gate.counts().flipped_bits == 0);
}

TEST_CASE("split bytes arrive all, in many pieces") {
  auto it = wire{};
  auto [client, target] = it.connect();
  it.gate.split(1);
  auto bytes = random_bytes(500);
  REQUIRE(client.send(bytes));
  CHECK(target.receive(bytes.size()) == bytes);
  CHECK(it.gate.counts().writes == 500);
  it.gate.split(7);
  REQUIRE(client.send(bytes));
  CHECK(target.receive(bytes.size()) == bytes);
  auto writes = it.gate.counts().writes - 500;
  CHECK(writes >= 500 / 7);
  CHECK(writes < 500);
}

TEST_CASE("a throttled gate passes no faster than it should") {
  auto it = wire{};
  auto [client, target] = it.connect();
  it.gate.throttle(100'000);
  auto bytes = random_bytes(20'000);
  auto start = std::chrono::steady_clock::now();
  REQUIRE(client.send(bytes));
  CHECK(target.receive(bytes.size()) == bytes);
  // The last piece is written before its own time is over.
  CHECK(std::chrono::steady_clock::now() - start >= 180ms);
}

TEST_CASE("a target that is away or breaks shows at the client") {
  auto it = wire{};
  auto away = peer{};
  auto other = wire::listen_on(away);
  auto port = it.gate.port();
  auto [client, target] = it.connect();
  auto at_once = linger{1, 0};
  setsockopt(target.fd(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  target.close();
  CHECK(client.end() == ECONNRESET);
  auto before = it.gate.counts().unreachable; // the reset may have come before the gate had connected
  away.close();
  it.gate.set_target(other);
  auto lost = peer{};
  REQUIRE(lost.connect(port) == 0);
  CHECK(lost.end() == ECONNRESET);
  CHECK(it.gate.counts().unreachable == before + 1);
}

TEST_CASE("many connections through a slow, splitting gate keep their bytes apart") {
  constexpr auto many = 40;
  auto it = wire{};
  it.gate.delay(5ms);
  it.gate.split(3000);
  auto echo = std::thread{[&] {
    auto threads = std::vector<std::thread>{};
    for (auto i = 0; i < many; ++i)
      threads.emplace_back([fd = accept(it.listener.fd(), nullptr, nullptr)] {
        auto to = peer{fd};
        to.send(to.receive(50'000));
      });
    for (auto& t : threads)
      t.join();
  }};
  auto same = std::atomic<int>{0};
  auto clients = std::vector<std::thread>{};
  for (auto i = 0; i < many; ++i)
    clients.emplace_back([&same, port = it.gate.port(), i] {
      auto from = peer{};
      auto bytes = std::string(50'000, static_cast<char>('A' + i));
      same += from.connect(port) == 0 && from.send(bytes) && from.receive(bytes.size()) == bytes;
    });
  for (auto& t : clients)
    t.join();
  echo.join();
  CHECK(same == many);
  CHECK(it.gate.counts().accepted == many);
}
