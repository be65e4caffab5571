/// What a broker or the wire to it does wrong: it forgets a consumer, damages and splits bytes,
/// delivers everything again. Source: spec/reliability_security.md R8-R10.
#include "tests/support/amqp_world.hpp"
#include "tests/support/fault_count.hpp"
#include "tests/support/tcp_gate.hpp"

#include <set>

using namespace troupe;
using namespace troupe::tests;

namespace {

std::string wire_yaml(const std::string& queue, const std::string& more = {}) {
  return "queues:\n  " + queue + ": {}\nconsume:\n  " + queue
         + ": {handler: event, topic: external.in, dead_letters: " + queue + "_dead" + more + "}\n";
}

/// Takes the consumer off a queue without a word to it: it is deaf from now on.
void forget_consumer(private_broker& broker, const std::string& queue) {
  broker.control({"eval", "{ok, Q} = rabbit_amqqueue:lookup(rabbit_misc:r(<<\"/\">>, queue, <<\""
                            + queue
                            + "\">>)), [C] = rabbit_amqqueue:consumers(Q), ok = "
                              "gen_server2:call(amqqueue:get_pid(Q), {basic_cancel, element(1, C), "
                              "element(2, C), undefined, <<\"test\">>}, infinity)."});
}

void check_each_once(amqp_world& w, size_t count) {
  auto bodies = bodies_of(w.events("external.in"));
  CHECK(bodies.size() == count);
  for (const auto& [body, times] : bodies) {
    INFO(body);
    CHECK(times == 1);
  }
}

} // namespace

TEST_CASE("a consumer that the broker has forgotten subscribes again", "[integration][amqp]") {
  auto queue = unique_name("deaf");
  auto& broker = private_broker::shared();
  auto w = amqp_world{"deaf_after: 2s\n" + wire_yaml(queue)};
  w.await_up();
  auto other = broker_client{broker.port()};
  other.publish(numbered(queue, 0, 5));
  w.await_status([](const amqp_status& x) { return x.counters.stored == 5; });
  forget_consumer(broker, queue);
  other.publish(numbered(queue, 5, 5));
  w.await_status([](const amqp_status& x) { return x.counters.stored == 10; });
  auto seen = w.status();
  CHECK(seen.counters.deaf == 1);
  CHECK(seen.queues[0].resubscribed == 1);
  CHECK(seen.links[0].connections == 1);
  check_each_once(w, 10);
}

TEST_CASE("a queue that is only quiet is left alone", "[integration][amqp]") {
  auto queue = unique_name("quiet");
  auto w = amqp_world{"deaf_after: 200ms\nrefresh: 100ms\n" + wire_yaml(queue)};
  w.await_up();
  // Long enough for several looks: each refresh declares anew, and none finds it deaf.
  auto other = broker_client{private_broker::shared().port()};
  for (auto i = 0; i < 20; ++i) {
    other.publish(numbered(queue, i, 1));
    w.await_status([&](const amqp_status& x) { return x.counters.stored == uint64_t(i) + 1; });
    breathe();
  }
  CHECK(w.status().counters.deaf == 0);
  CHECK(w.status().queues[0].resubscribed == 0);
}

TEST_CASE("bytes in any pieces lose and double nothing", "[integration][amqp]") {
  auto queue = unique_name("pieces");
  auto gate = tcp_gate{private_broker::shared().port(), 5};
  gate.split(3);
  auto w = amqp_world{wire_yaml(queue), gate.port()};
  w.await_up();
  auto other = broker_client{private_broker::shared().port()};
  other.publish(numbered(queue, 0, 200));
  w.await_status([](const amqp_status& x) { return x.counters.stored == 200; });
  check_each_once(w, 200);
}

TEST_CASE("damaged bytes cost connections, not the node", "[integration][amqp]") {
  auto queue = unique_name("damaged");
  auto& broker = private_broker::shared();
  auto gate = tcp_gate{broker.port(), 7};
  auto w = amqp_world{"heartbeat: 2s\nconnect_limit: 2s\ncall_limit: 2s\nfirst_backoff: 10ms\n"
                        + wire_yaml(queue),
                      gate.port()};
  w.await_up();
  auto other = broker_client{broker.port()};
  auto rounds = fault_count(20, 10'000);
  for (auto i = 0U; i < rounds; ++i) {
    gate.corrupt(gate_way::to_client, 1 + i % 8, 2'000);
    other.publish(numbered(queue, static_cast<int>(i) * 50, 50));
    // Also the login is damaged, whenever the connection ends.
    gate.cut(gate_cut::reset);
    gate.pass();
    w.await_status([](const amqp_status& x) { return x.queues[0].consuming; });
  }
  CHECK(gate.counts().accepted > rounds);
  // What TCP let through damaged may be anything; what comes after it is taken in.
  auto fresh = static_cast<int>(rounds) * 50;
  other.publish(numbered(queue, fresh, 100));
  CHECK(await(60s, [&] {
    auto bodies = bodies_of(w.events("external.in"));
    for (auto i = fresh; i < fresh + 100; ++i)
      if (bodies["{\"n\":" + std::to_string(i) + '}'] != 1)
        return false;
    return true;
  }));
}

TEST_CASE("what is delivered twice has one effect", "[integration][amqp]") {
  auto queue = unique_name("again");
  auto& broker = private_broker::shared();
  auto count = static_cast<int>(fault_count(2'000, 500'000));
  auto gate = tcp_gate{broker.port()};
  auto w = amqp_world{"first_backoff: 10ms\n" + wire_yaml(queue), gate.port()};
  w.await_up();
  auto other = broker_client{broker.port()};
  for (auto i = 0; i < 2; ++i) {
    // The whole stream, by the same ids; connections end while acknowledgements are on the way.
    for (auto first = 0; first < count; first += 500) {
      REQUIRE(other.publish(numbered(queue, first, 500)) == 500);
      gate.cut(gate_cut::reset);
    }
    CHECK(await(120s, [&] { return other.ready(queue) == 0u; }));
    w.await_status(
      [](const amqp_status& x) { return x.queues[0].consuming && x.queues[0].unsettled == 0; });
  }
  auto seen = w.status().counters;
  CHECK(seen.stored == static_cast<uint64_t>(count));
  CHECK(seen.repeated >= static_cast<uint64_t>(count));
  CHECK(seen.poison == 0);
  check_each_once(w, static_cast<size_t>(count));
}

TEST_CASE("a replay that runs out of time says so, and the next one goes on",
          "[integration][amqp]") {
  auto exchange = unique_name("unbound");
  auto queue = unique_name("wanted");
  auto dead = unique_name("dead");
  auto w = amqp_world{
    "dead_letters: " + dead + "\nreplay_for: 100ms\nretry_for: 100ms\nexchanges:\n  " + exchange
    + ": {}\npublish:\n  events: {topics: [external.], exchange: " + exchange + "}\n"};
  w.await_up();
  auto count = uint64_t{600};
  auto bodies = std::vector<std::string>{};
  for (auto i = uint64_t{0}; i < count; ++i)
    bodies.push_back("{\"n\":" + std::to_string(i) + '}');
  w.append_bodies("external.lost", {"{\"nobody\":true}"});
  w.append_bodies("external.kept", bodies);
  w.await_status([&](const amqp_status& x) { return x.counters.dead_letters == count + 1; });
  auto other = broker_client{private_broker::shared().port()};
  other.declare_queue(queue);
  other.bind(queue, exchange, "external.kept");
  auto moved = uint64_t{0};
  auto calls = 0;
  while (moved < count) {
    auto got = w.ask<dead_letters_moved>(replay_dead_letters{});
    REQUIRE(got);
    REQUIRE(got->moved + got->stayed > 0);
    moved += got->moved;
    ++calls;
  }
  CHECK(moved == count);
  CHECK(calls > 1);
  CHECK(other.ready(dead) == 1u);
  auto seen = std::set<std::string>{};
  for (const auto& x : other.take_all(queue))
    seen.insert(x.body);
  CHECK(seen.size() == count);
  // The one that nobody wants still says why it is there.
  auto letters = w.ask<dead_letter_list>(peek_dead_letters{});
  REQUIRE(letters);
  REQUIRE(letters->letters.size() == 1);
  CHECK(letters->letters[0].reason == "unroutable");
  CHECK(letters->letters[0].body == "{\"nobody\":true}");
}
