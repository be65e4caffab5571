/// Who is not let in, on which side, why, and that nobody else is troubled.
#include "tests/support/child_process.hpp"
#include "tests/support/network_node.hpp"
#include "tests/support/raw_peer.hpp"
#include "tests/support/slurp.hpp"

#include <catch2/catch.hpp>
#include <sys/stat.h>

#include <atomic>
#include <deque>
#include <filesystem>
#include <fstream>
#include <thread>

using namespace troupe;
using namespace troupe::tests;
using namespace std::literals;

namespace {

/// A node with a neighbour that must not notice anything.
struct besieged {
  explicit besieged(transport_options options = {})
    : files{authority.issue("core")}, core{files,
                                           any_key_of({"neighbour", "known", "late", "revoked"}),
                                           options},
      neighbour{authority.issue("neighbour"), any_key_of({"core"})} {
    auto who = neighbour.join("core", core.port());
    REQUIRE(who);
    link = *who;
  }

  /// The error of a node with these files that dials the core.
  caf::error dial_as(const tls_files& as) {
    auto node = network_node{as, any_key_of({"core"})};
    auto who = node.join("core", core.port());
    return who ? caf::error{} : who.error();
  }

  void check_neighbour() {
    CHECK(neighbour.ask(link, "ping") == "ping");
    CHECK(core.net().counters().open == 1);
  }

  /// The peer may learn of it before it is counted.
  bool refused(refusal why, uint64_t times) {
    return await(5s, [&] { return core.refused(why) >= times; }) && core.refused(why) == times;
  }

  test_authority authority;
  tls_files files;
  network_node core;
  network_node neighbour;
  echo_actor link;
};

transport_options quick() {
  auto out = transport_options{};
  out.handshake_time = 600ms;
  out.connects_per_second = 1e6;
  return out;
}

} // namespace

TEST_CASE("only listed names with the authority's certificate come in", "[cluster][transport]") {
  auto x = besieged{};
  SECTION("a known one") {
    CHECK_FALSE(x.dial_as(x.authority.issue("known")));
  }
  SECTION("a certificate of another authority") {
    auto others = test_authority{};
    auto files = others.issue("known");
    auto peer = raw_peer{x.core.port()};
    // Its TLS ends before it learns that it is refused.
    (void)peer.secure(unchecked({files.certificate, files.key, x.files.authority, {}}));
    CHECK(peer.ends_within(2s));
    CHECK(x.refused(refusal::foreign_authority, 1));
  }
  SECTION("no certificate") {
    auto peer = raw_peer{x.core.port()};
    (void)peer.secure(without_certificate(x.files));
    CHECK(peer.ends_within(2s));
    CHECK(x.refused(refusal::no_certificate, 1));
  }
  SECTION("an expired one") {
    auto peer = raw_peer{x.core.port()};
    (void)peer.secure(unchecked(x.authority.issue("late", {-7200, -3600})));
    CHECK(peer.ends_within(2s));
    CHECK(x.refused(refusal::expired, 1));
  }
  SECTION("one that is not valid yet") {
    auto peer = raw_peer{x.core.port()};
    (void)peer.secure(unchecked(x.authority.issue("late", {3600, 7200})));
    CHECK(peer.ends_within(2s));
    CHECK(x.refused(refusal::expired, 1));
  }
  SECTION("a name that is not on the list") {
    auto why = x.dial_as(x.authority.issue("stranger"));
    CHECK(explain(why).code == ec::unauthorized);
    CHECK_THAT(one_line(why), Catch::Contains("does not accept this node"));
    CHECK_THAT(one_line(why), Catch::Contains("see the log of core"));
    CHECK(x.refused(refusal::not_listed, 1));
  }
  x.check_neighbour();
}

TEST_CASE("a listed key is the only one of its name", "[cluster][transport]") {
  auto x = besieged{};
  auto right = x.authority.issue("known");
  auto wrong = x.authority.issue("known");
  auto policy = any_key_of({"neighbour"});
  policy.peers["known"] = {x.authority.fingerprint(right)};
  x.core.net().set_policy(policy);
  CHECK_FALSE(x.dial_as(right));
  CHECK(explain(x.dial_as(wrong)).code == ec::unauthorized);
  CHECK(x.refused(refusal::wrong_key, 1));
  REQUIRE(await(5s, [&] { return x.core.net().counters().open == 1; }));
  x.check_neighbour();
}

TEST_CASE("a revoked certificate is cut and not let in again", "[cluster][transport]") {
  auto authority = test_authority{};
  auto folder = temp_folder{};
  auto files = authority.issue("core");
  files.revoked = folder.path() + "/revoked";
  std::ofstream{*files.revoked} << "# none yet\n";
  auto core = network_node{files, any_key_of({"good", "bad"})};
  auto bad_files = authority.issue("bad");
  auto bad = network_node{bad_files, any_key_of({"core"})};
  auto good = network_node{authority.issue("good"), any_key_of({"core"})};
  auto link = good.join("core", core.port());
  REQUIRE(link);
  REQUIRE(bad.join("core", core.port()));
  auto by_serial = GENERATE_COPY(true, false);
  std::ofstream{*files.revoked} << (by_serial ? authority.serial(bad_files)
                                              : authority.fingerprint(bad_files))
                                << " # lost its laptop\n";
  REQUIRE_FALSE(core.net().reload());
  REQUIRE(await(5s, [&] { return core.net().counters().open == 1; }));
  CHECK(core.refused(refusal::revoked) == 1);
  auto again = bad.join("core", core.port());
  REQUIRE_FALSE(again);
  CHECK_THAT(one_line(again.error()), Catch::Contains("certificate revoked"));
  CHECK(await(5s, [&] { return core.refused(refusal::revoked) == 2; }));
  CHECK(good.ask(*link, "ping") == "ping");
  std::ofstream{*files.revoked} << "nonsense\n";
  CHECK_THAT(one_line(core.net().reload()), Catch::Contains("revoked:1"));
}

TEST_CASE("a link ends when its certificate or that of the authority does",
          "[cluster][transport]") {
  auto lasting = test_authority{};
  auto brief = test_authority{10}; // seconds, enough to join on a busy machine
  auto core = network_node{lasting.issue("core"), any_key_of({"good", "brief"})};
  auto good = network_node{lasting.issue("good"), any_key_of({"core"})};
  auto ends = network_node{lasting.issue("brief", {-3600, 10}), any_key_of({"core"})};
  auto doomed = network_node{brief.issue("core"), any_key_of({"brief"})};
  auto orphan = network_node{brief.issue("brief"), any_key_of({"core"})};
  auto link = good.join("core", core.port());
  REQUIRE(link);
  REQUIRE(ends.join("core", core.port()));
  REQUIRE(orphan.join("core", doomed.port()));
  CHECK(await(30s, [&] { return core.refused(refusal::expired) == 1; }));
  CHECK(await(30s, [&] { return core.net().counters().open == 1; }));
  CHECK(await(30s, [&] { return doomed.net().counters().open == 0; }));
  CHECK(doomed.refused(refusal::expired) + orphan.refused(refusal::expired) > 0);
  CHECK_FALSE(ends.join("core", core.port()));
  CHECK(good.ask(*link, "ping") == "ping");
}

TEST_CASE("links of an authority that counts no longer end at the reload", "[cluster][transport]") {
  auto old = test_authority{};
  auto fresh = test_authority{};
  auto files = old.issue("core");
  auto core = network_node{files, any_key_of({"agent"})};
  auto agent = network_node{old.issue("agent"), any_key_of({"core"})};
  REQUIRE(agent.join("core", core.port()));
  auto next = fresh.issue("core");
  for (auto [from, to] :
       {std::pair{next.certificate, files.certificate}, std::pair{next.key, files.key}})
    std::filesystem::copy_file(from, to, std::filesystem::copy_options::overwrite_existing);
  // Both authorities count while the nodes get their new certificates.
  std::ofstream{files.authority, std::ios::app} << slurp(next.authority);
  REQUIRE_FALSE(core.net().reload());
  CHECK(core.net().counters().open == 1);
  CHECK(core.refused(refusal::foreign_authority) == 0);
  std::ofstream{files.authority} << slurp(next.authority);
  REQUIRE_FALSE(core.net().reload());
  CHECK(core.refused(refusal::foreign_authority) == 1);
  CHECK(await(20s, [&] { return core.net().counters().open == 0; }));
}

TEST_CASE("a server is checked like a client", "[cluster][transport]") {
  auto ours = test_authority{};
  auto others = test_authority{};
  auto agent = network_node{ours.issue("agent"), any_key_of({"core"})};
  auto foreign = network_node{others.issue("core"), any_key_of({"agent"})};
  auto who = agent.join("core", foreign.port());
  REQUIRE_FALSE(who);
  CHECK(explain(who.error()).code == ec::unauthorized);
  CHECK(agent.refused(refusal::foreign_authority) == 1);
}

TEST_CASE("who does not speak TLS, or nothing at all, is closed", "[cluster][transport]") {
  auto x = besieged{quick()};
  auto plain = raw_peer{x.core.port()};
  auto silent = raw_peer{x.core.port()};
  auto half = raw_peer{x.core.port()};
  auto greeted = raw_peer{x.core.port()};
  REQUIRE(plain.send("GET / HTTP/1.1\r\n\r\n"));
  REQUIRE(half.send("\x16\x03\x01"));
  // It is who it says, and then says nothing.
  REQUIRE(greeted.secure(unchecked(x.authority.issue("known"))));
  CHECK(plain.ends_within(2s));
  CHECK(x.refused(refusal::no_tls, 1));
  CHECK(silent.ends_within(5s));
  CHECK(half.ends_within(5s));
  CHECK(greeted.ends_within(5s));
  CHECK(x.refused(refusal::handshake_timeout, 3));
  REQUIRE(await(5s, [&] { return x.core.net().counters().open == 1; }));
  x.check_neighbour();
}

TEST_CASE("handshakes under way are few, of one address fewer", "[cluster][transport]") {
  auto options = quick();
  options.handshake_time = 3s;
  options.max_handshakes = 20;
  options.max_handshakes_per_address = 8;
  auto x = besieged{options};
  auto held = std::vector<raw_peer>{};
  for (auto i = 0; i < 10; ++i)
    held.emplace_back(x.core.port(), "127.0.0.2");
  REQUIRE(await(5s, [&] { return x.core.refused(refusal::too_many_handshakes) == 2; }));
  for (auto i = 0; i < 24; ++i)
    held.emplace_back(x.core.port(), "127.0.0." + std::to_string(3 + i % 3));
  REQUIRE(await(5s, [&] { return x.core.refused(refusal::too_many_handshakes) == 14; }));
  CHECK(x.core.net().counters().half_open == 20);
  x.check_neighbour();
  // Nobody needs to come for them to go.
  REQUIRE(await(10s, [&] { return x.core.net().counters().half_open == 0; }));
  CHECK(x.refused(refusal::handshake_timeout, 20));
}

TEST_CASE("half-open handshakes keep no node out", "[cluster][transport]") {
  auto x = besieged{};
  auto over = std::atomic{false};
  auto flood = std::thread{[&] {
    auto held = std::deque<raw_peer>{};
    while (!over) {
      held.emplace_back(x.core.port(), "127.0.1." + std::to_string(1 + held.size() % 100));
      held.back().send("\x16\x03\x01\x02\x00"sv);
      if (held.size() < 260)
        continue;
      // Whoever was closed comes again.
      for (auto& peer : held)
        if (!over && (!peer.connected() || peer.ends_within(0ms))) {
          peer = raw_peer{x.core.port(), "127.0.1." + std::to_string(1 + (&peer - &held[0]) % 100)};
          peer.send("\x16\x03\x01\x02\x00"sv);
        }
      held.pop_front();
    }
  }};
  auto full = await(20s, [&] { return x.core.refused(refusal::too_many_handshakes) > 0; });
  // A link dials again when it was turned away, and so does this node.
  auto joined = 0;
  for (auto i = 0; i < 5; ++i)
    joined += await(20s, [&] { return !x.dial_as(x.authority.issue("known")); }) ? 1 : 0;
  over = true;
  flood.join();
  CHECK(full);
  CHECK(joined == 5);
  REQUIRE(await(10s, [&] { return x.core.net().counters().open == 1; }));
  x.check_neighbour();
}

TEST_CASE("addresses of one network are one caller", "[cluster][transport]") {
  auto network_of = [](const char* host) {
    auto at = addresses_of(host, 1, resolve::numbers);
    REQUIRE(at);
    return at->front().network();
  };
  CHECK(network_of("192.0.2.7") == "192.0.2.7");
  CHECK(network_of("::ffff:192.0.2.7") == "192.0.2.7");
  CHECK(network_of("2001:db8:0:1:2:3:4:5") == "2001:db8:0:1::/64");
  CHECK(network_of("2001:db8:0:1::9") == network_of("2001:db8:0:1:8::"));
  CHECK(network_of("2001:db8:0:2::9") != network_of("2001:db8:0:1::9"));
}

TEST_CASE("an address that connects too often is closed at once", "[cluster][transport]") {
  auto options = quick();
  options.connects_per_second = 10;
  auto x = besieged{options};
  for (auto i = 0; i < 40; ++i)
    raw_peer{x.core.port(), "127.0.0.9"};
  REQUIRE(await(5s, [&] { return x.core.refused(refusal::too_fast) >= 20; }));
  CHECK(x.dial_as(x.authority.issue("known")) == caf::none);
}

TEST_CASE("files that do not fit together are refused by path", "[cluster][transport]") {
  auto authority = test_authority{};
  auto others = test_authority{};
  auto good = authority.issue("core");
  auto fault_of = [](const tls_files& files) {
    auto made = tls_context::make(files);
    return made ? std::string{} : one_line(made.error());
  };
  CHECK(fault_of(good).empty());
  auto files = good;
  SECTION("not there") {
    files.certificate += ".not";
    CHECK_THAT(fault_of(files), Catch::Contains(files.certificate));
  }
  SECTION("another key") {
    files.key = authority.issue("core").key;
    CHECK_THAT(fault_of(files), Catch::Contains(files.key));
  }
  SECTION("a key for all to read") {
    ::chmod(files.key.c_str(), 0644);
    CHECK_THAT(fault_of(files), Catch::Contains("chmod 600"));
  }
  SECTION("another authority") {
    files.authority = others.issue("core").authority;
    CHECK_THAT(fault_of(files), Catch::Contains(files.certificate + ": is not accepted by"));
  }
  SECTION("expired") {
    files = authority.issue("core", {-7200, -3600});
    CHECK_THAT(fault_of(files), Catch::Contains("expired"));
  }
  SECTION("an authority instead of a node") {
    files.certificate = files.authority;
    CHECK_FALSE(fault_of(files).empty());
  }
}
