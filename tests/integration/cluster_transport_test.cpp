/// Two nodes over mutual TLS on loopback: what they say to each other arrives,
/// and what goes wrong with one connection is no other's business.
#include "tests/support/child_process.hpp"
#include "tests/support/network_node.hpp"
#include "tests/support/tcp_gate.hpp"

#include <catch2/catch.hpp>
#include <sys/stat.h>

#include <filesystem>
#include <thread>

using namespace troupe;
using namespace troupe::tests;
using namespace std::literals;

namespace {

struct pair_of_nodes {
  explicit pair_of_nodes(transport_options options = {})
    : core_files{authority.issue("core")}, agent_files{authority.issue("agent")},
      core{core_files, any_key_of({"agent", "other"}), options}, agent{agent_files,
                                                                       any_key_of({"core"}),
                                                                       options} {}

  echo_actor join() {
    auto who = agent.join("core", core.port());
    INFO((who ? std::string{} : one_line(who.error())));
    REQUIRE(who);
    return *who;
  }

  test_authority authority;
  tls_files core_files;
  tls_files agent_files;
  network_node core;
  network_node agent;
};

/// A listener whose queue of connections is full: the kernel answers nobody any more.
class black_hole {
public:
  black_hole() {
    auto at = addresses_of("127.0.0.1", 0, resolve::numbers);
    fd_ = std::move(*listen_on(at->front()));
    ::listen(fd_.get(), 0);
    auto bound = socket_address{};
    bound.size = sizeof bound.bytes;
    ::getsockname(fd_.get(), reinterpret_cast<sockaddr*>(&bound.bytes), &bound.size);
    port_ = bound.port();
    for (auto i = 0; i < 4; ++i)
      fill_.push_back(std::move(*start_connect(bound)));
  }
  uint16_t port() const {
    return port_;
  }

private:
  owned_fd fd_;
  std::vector<owned_fd> fill_;
  uint16_t port_ = 0;
};

} // namespace

TEST_CASE("two nodes exchange typed messages and errors", "[cluster][transport]") {
  auto x = pair_of_nodes{};
  auto core = x.join();
  CHECK(x.agent.ask(core, "hello") == "hello");
  CHECK(x.agent.ask(core, "fail") == "error: field: as asked");
  auto big = write_artifact{};
  big.bytes.assign(4U << 20, 'x');
  auto size = uint64_t{0};
  caf::scoped_actor {
    x.agent.sys()
    } -> request(core, 5s, std::move(big))
      .receive([&](uint64_t n) { size = n; }, [&](const caf::error&) {});
  CHECK(size == 4U << 20);
  const auto& counted = x.core.net().counters();
  CHECK(counted.accepted == 1);
  CHECK(counted.open == 1);
  CHECK(counted.bytes_in > 4U << 20);
  CHECK(x.agent.net().counters().dialed == 1);
}

TEST_CASE("a connected node is known by the name in its certificate", "[cluster][transport]") {
  auto x = pair_of_nodes{};
  auto core = x.join();
  auto seen = x.agent.net().peer_of(core.node());
  REQUIRE(seen);
  CHECK(seen->node == "core");
  CHECK(seen->address == "127.0.0.1");
  CHECK(seen->fingerprint == x.authority.fingerprint(x.core_files));
  REQUIRE(x.agent.ask(core, "hello") == "hello"); // It has greeted before.
  auto back = x.core.net().peer_of(x.agent.sys().node());
  REQUIRE(back);
  CHECK(back->node == "agent");
  CHECK_FALSE(x.core.net().peer_of(x.core.sys().node()));
}

TEST_CASE("every start gives a node another id", "[cluster][transport]") {
  auto authority = test_authority{};
  auto files = authority.issue("core");
  auto ids = std::set<caf::node_id>{};
  for (auto i = 0; i < 3; ++i) {
    auto node = network_node{files, {}};
    ids.insert(node.sys().node());
  }
  CHECK(ids.size() == 3);
}

TEST_CASE("a link that was cut can be made again", "[cluster][transport]") {
  auto x = pair_of_nodes{};
  for (auto i = 0; i < 5; ++i) {
    auto core = x.join();
    REQUIRE(x.agent.ask(core, "hello") == "hello");
    auto end = caf::scoped_actor{x.agent.sys()};
    end->monitor(core);
    x.agent.net().cut(core.node());
    auto down = false;
    end->receive([&](const caf::down_msg&) { down = true; }, caf::after(2s) >> [] {});
    REQUIRE(down);
    REQUIRE(await(
      5s, [&] { return x.core.net().counters().open == 0 && x.agent.net().counters().open == 0; }));
    CHECK_FALSE(x.agent.net().peer_of(core.node()));
  }
}

TEST_CASE("a host that does not answer delays no other", "[cluster][transport]") {
  auto options = transport_options{};
  options.dial_time = 1s;
  auto x = pair_of_nodes{options};
  auto hole = black_hole{};
  auto lost = caf::error{};
  auto waiting = std::atomic{true};
  auto into_the_hole = std::thread{[&] {
    auto none = x.agent.join("core", hole.port());
    lost = none ? caf::error{} : none.error();
    waiting = false;
  }};
  auto core = x.join();
  CHECK(waiting);
  CHECK(x.agent.ask(core, "hello") == "hello");
  into_the_hole.join();
  CHECK(explain(lost).code == ec::timeout);
}

TEST_CASE("nobody there, no such host and another node are told apart", "[cluster][transport]") {
  auto x = pair_of_nodes{};
  auto closed = x.agent.join("core", 1);
  REQUIRE_FALSE(closed);
  CHECK(explain(closed.error()).code == ec::unavailable);
  CHECK_THAT(one_line(closed.error()), Catch::Contains("core at 127.0.0.1: cannot connect"));
  auto unknown = x.agent.join("core", x.core.port(), "no-such-host.invalid");
  REQUIRE_FALSE(unknown);
  CHECK(explain(unknown.error()).code == ec::unavailable);
  auto other = x.agent.join("other", x.core.port());
  REQUIRE_FALSE(other);
  CHECK(explain(other.error()).code == ec::unauthorized);
  CHECK_THAT(one_line(other.error()), Catch::Contains("another node than the dialed one"));
  CHECK(x.agent.refused(refusal::wrong_name) == 1);
}

TEST_CASE("a peer that does not read is cut, others are not", "[cluster][transport]") {
  auto options = transport_options{};
  options.max_unsent = 4U << 20;
  auto x = pair_of_nodes{options};
  auto core = x.join();
  auto slow = network_node{x.authority.issue("other"), any_key_of({"core"})};
  auto wire = tcp_gate{slow.port()};
  auto to_slow = x.core.join("other", wire.port());
  REQUIRE(to_slow);
  REQUIRE(x.core.ask(*to_slow, "hello") == "hello");
  wire.freeze();
  auto end = caf::scoped_actor{x.core.sys()};
  end->monitor(*to_slow);
  // 64 MiB, in steps that let the network thread keep up: what it refuses is the peer's backlog.
  for (auto i = 0; i < 256 && x.core.refused(refusal::slow_reader) == 0; ++i) {
    end->send(*to_slow, caf::put_atom_v, std::string(256U << 10, 'x'));
    REQUIRE(x.agent.ask(core, "ping") == "ping");
  }
  CHECK(x.core.refused(refusal::slow_reader) == 1);
  auto down = false;
  end->receive([&](const caf::down_msg&) { down = true; }, caf::after(5s) >> [] {});
  CHECK(down);
  CHECK(x.agent.ask(core, "ping") == "ping");
}

TEST_CASE("flipped bits end a connection and nothing else", "[cluster][transport]") {
  auto x = pair_of_nodes{};
  auto core = x.join();
  auto rough = network_node{x.authority.issue("other"), any_key_of({"core"})};
  for (auto seed = uint64_t{1}; seed <= 20; ++seed) {
    auto wire = tcp_gate{x.core.port(), seed};
    auto link = rough.join("core", wire.port());
    REQUIRE(link);
    auto speaker = caf::scoped_actor{rough.sys()};
    wire.split(7);
    REQUIRE(rough.ask(*link, std::string(5'000, 'y')).size() == 5'000);
    wire.corrupt(seed % 2 == 0 ? gate_way::to_target : gate_way::to_client, 1, 200);
    // A record whose length was damaged is judged when all of it is there.
    REQUIRE(await(10s, [&] {
      speaker->send(*link, std::string(1'000, 'z')); // Its answers are not read.
      return rough.net().counters().open == 0;
    }));
    REQUIRE(await(5s, [&] { return x.core.net().counters().open == 1; }));
  }
  CHECK(x.core.refused(refusal::bad_frame) == 0); // TLS had noticed before.
  CHECK(x.agent.ask(core, "ping") == "ping");
}

TEST_CASE("new files are used for new connections, bad ones are not", "[cluster][transport]") {
  auto x = pair_of_nodes{};
  auto core = x.join();
  auto fresh = x.authority.issue("core");
  namespace fs = std::filesystem;
  auto copy = [](const std::string& from, const std::string& to) {
    fs::copy_file(from, to, fs::copy_options::overwrite_existing);
  };
  copy(fresh.certificate, x.core_files.certificate);
  auto mixed = x.core.net().reload();
  CHECK(explain(mixed).code == ec::invalid_argument);
  CHECK_THAT(one_line(mixed), Catch::Contains("is not the key of"));
  auto old = x.core.identity().current()->own.fingerprint;
  copy(fresh.key, x.core_files.key);
  CHECK_FALSE(x.core.net().reload());
  CHECK(x.core.identity().current()->own.fingerprint != old);
  CHECK(x.agent.ask(core, "still here") == "still here");
  x.agent.net().cut(core.node());
  REQUIRE(await(5s, [&] { return x.agent.net().counters().open == 0; }));
  auto again = x.join();
  CHECK(x.agent.net().peer_of(again.node())->fingerprint
        == x.core.identity().current()->own.fingerprint);
}

TEST_CASE("a peer that leaves the list is cut", "[cluster][transport]") {
  auto x = pair_of_nodes{};
  auto core = x.join();
  x.core.net().set_policy(any_key_of({"other"}));
  REQUIRE(await(5s, [&] { return x.agent.net().counters().open == 0; }));
  CHECK(x.core.refused(refusal::not_listed) == 1);
}
