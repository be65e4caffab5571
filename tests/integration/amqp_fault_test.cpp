/// What breaks between a node and a broker, and what must not break with it.
#include "tests/support/amqp_world.hpp"
#include "tests/support/fault_count.hpp"
#include "tests/support/tcp_gate.hpp"

#include <thread>

using namespace troupe;
using namespace troupe::tests;

namespace {

/// Consumes `in`, publishes events of topic "external.out" to a queue `out`.
std::string both_ways(const std::string& in, const std::string& out) {
  return "exchanges:\n  x_" + out + ": {}\nqueues:\n  " + in + ": {}\n  " + out + ": {bindings: {x_"
         + out + ": [\"#\"]}}\nconsume:\n  " + in
         + ": {handler: event, topic: external.in}\npublish:\n  events: {topics: [external.out], "
           "exchange: x_"
         + out + "}\n";
}

/// Appends bodies, a few at a time, until it is told to stop.
class outbound_load {
public:
  explicit outbound_load(amqp_world& w)
    : thread_{[this, &w] {
        for (; !stop_; ++sent) {
          w.append_bodies("external.out", {"{\"out\":" + std::to_string(sent) + '}'});
          std::this_thread::sleep_for(1ms);
        }
      }} {}
  int finish() {
    stop_ = true;
    thread_.join();
    return sent;
  }
  std::atomic<int> sent = 0;

private:
  std::atomic<bool> stop_ = false;
  std::thread thread_;
};

/// Each of `count` bodies is there; repeats have the same id, as at-least-once allows.
void check_published(broker_client& other, const std::string& queue, int count) {
  auto ids = std::map<std::string, std::string>{};
  for (const auto& x : other.take_all(queue)) {
    auto [i, added] = ids.emplace(x.body, x.message_id);
    CHECK(i->second == x.message_id);
  }
  CHECK(ids.size() == static_cast<size_t>(count));
}

/// Every body exactly once.
void check_stored(amqp_world& w, int count) {
  auto bodies = bodies_of(w.events("external.in"));
  CHECK(bodies.size() == static_cast<size_t>(count));
  for (const auto& [body, times] : bodies) {
    INFO(body);
    CHECK(times == 1);
  }
}

} // namespace

TEST_CASE("nothing is lost and nothing doubled while the broker restarts under load",
          "[integration][amqp]") {
  auto in = unique_name("in");
  auto out = unique_name("out");
  auto& broker = private_broker::shared();
  auto w = amqp_world{both_ways(in, out)};
  w.await_up();
  auto load = outbound_load{w};
  auto put = 0;
  for (auto i = 0U; i < fault_count(10, 100); ++i) {
    {
      auto other = broker_client{broker.port()};
      put += static_cast<int>(other.publish(numbered(in, put, 500)));
    }
    if (i % 2 == 0)
      broker.crash();
    else
      broker.stop();
    broker.start();
    w.await_up();
  }
  auto sent = load.finish();
  w.await_status([&](const amqp_status& x) {
    return x.published_up_to + 1 == x.journal_next && x.unconfirmed == 0
           && x.queues[0].unsettled == 0 && x.counters.delivered > 0;
  });
  auto other = broker_client{broker.port()};
  CHECK(await(60s, [&] { return w.events("external.in").size() == static_cast<size_t>(put); }));
  check_stored(w, put);
  check_published(other, out, sent);
}

TEST_CASE("cut and frozen connections lose nothing", "[integration][amqp]") {
  auto in = unique_name("in");
  auto out = unique_name("out");
  auto gate = tcp_gate{private_broker::shared().port()};
  auto w = amqp_world{"heartbeat: 2s\n" + both_ways(in, out), gate.port()};
  w.await_up();
  auto other = broker_client{private_broker::shared().port()};
  auto load = outbound_load{w};
  auto put = 0;
  for (auto i = 0U; i < fault_count(6, 60); ++i) {
    put += static_cast<int>(other.publish(numbered(in, put, 300)));
    if (i % 3 == 2) {
      auto before = w.status().links[0].failures;
      gate.freeze(gate_way::both);
      // Nothing says that the broker is gone but its silence.
      w.await_status([&](const amqp_status& x) { return x.links[0].failures > before; });
      gate.pass();
    }
    gate.cut(i % 2 == 0 ? gate_cut::reset : gate_cut::finish);
    w.await_status([](const amqp_status& x) { return x.queues[0].consuming; });
  }
  auto sent = load.finish();
  w.await_status([&](const amqp_status& x) {
    return x.published_up_to + 1 == x.journal_next && x.unconfirmed == 0;
  });
  CHECK(await(60s, [&] { return w.events("external.in").size() == static_cast<size_t>(put); }));
  check_stored(w, put);
  check_published(other, out, sent);
}

TEST_CASE("a broker that comes late is found", "[integration][amqp]") {
  auto in = unique_name("in");
  auto out = unique_name("out");
  auto gate = tcp_gate{1}; // nobody listens there
  auto w = amqp_world{both_ways(in, out), gate.port()};
  w.append_bodies("external.out", {"{\"out\":0}"});
  w.await_status([](const amqp_status& x) {
    return x.links[0].state == amqp_state::down && x.links[0].failures > 0;
  });
  CHECK(!w.ask<dead_letter_queues>(list_dead_letters{}));
  gate.set_target(private_broker::shared().port());
  w.await_up();
  auto other = broker_client{private_broker::shared().port()};
  CHECK(await(30s, [&] { return other.ready(out) == 1u; }));
}

TEST_CASE("a deleted queue is made again and consumed", "[integration][amqp]") {
  auto in = unique_name("in");
  auto out = unique_name("out");
  auto w = amqp_world{both_ways(in, out)};
  w.await_up();
  auto other = broker_client{private_broker::shared().port()};
  other.put(in, "{\"n\":-1}", "before");
  w.await_status([](const amqp_status& x) { return x.counters.stored == 1; });
  other.delete_queue(in);
  w.await_status(
    [](const amqp_status& x) { return x.queues[0].resubscribed == 1 && x.queues[0].consuming; });
  other.publish(numbered(in, 0, 10));
  w.await_status([](const amqp_status& x) { return x.counters.stored == 11; });
}

TEST_CASE("a channel that the broker closes for a late acknowledgement is opened again",
          "[integration][amqp]") {
  auto in = unique_name("in");
  auto out = unique_name("out");
  auto& broker = private_broker::shared();
  broker.control({"eval", "application:set_env(rabbit, channel_tick_interval, 500), "
                          "application:set_env(rabbit, consumer_timeout, 1000)."});
  auto w = amqp_world{both_ways(in, out)};
  w.await_up();
  w.hide_journal(true);
  auto other = broker_client{broker.port()};
  other.publish(numbered(in, 0, 20));
  w.await_status([](const amqp_status& x) { return x.queues[0].resubscribed >= 1; });
  broker.control({"eval", "application:set_env(rabbit, channel_tick_interval, 60000), "
                          "application:set_env(rabbit, consumer_timeout, 1800000)."});
  // The connection itself has lived on.
  CHECK(w.status().links[0].connections == 1);
  w.hide_journal(false);
  CHECK(await(60s, [&] { return w.events("external.in").size() == 20; }));
  w.await_status([](const amqp_status& x) { return x.queues[0].unsettled == 0; });
  check_stored(w, 20);
}

TEST_CASE("a broker in need stops what is published, not what is consumed", "[integration][amqp]") {
  auto in = unique_name("in");
  auto out = unique_name("out");
  auto& broker = private_broker::shared();
  auto w = amqp_world{both_ways(in, out)};
  w.await_up();
  auto other = broker_client{broker.port()};
  other.publish(numbered(in, 0, 10));
  w.await_status([](const amqp_status& x) { return x.counters.stored == 10; });
  for (auto i = 0U; i < fault_count(2, 20); ++i) {
    auto before = w.status().counters.blocked;
    broker.control({"set_vm_memory_high_watermark", "absolute", "1"});
    // The broker says so when the next message comes.
    w.append_bodies("external.out", {"{\"out\":" + std::to_string(2 * i) + '}'});
    w.await_status([&](const amqp_status& x) {
      return x.counters.blocked > before && x.links[1].state == amqp_state::blocked;
    });
    w.append_bodies("external.out", {"{\"out\":" + std::to_string(2 * i + 1) + '}'});
    CHECK(w.status().links[0].state == amqp_state::up);
    broker.control({"set_vm_memory_high_watermark", "0.4"});
    w.await_status([](const amqp_status& x) {
      return x.links[1].state == amqp_state::up && x.published_up_to + 1 == x.journal_next;
    });
  }
  check_published(other, out, static_cast<int>(2 * fault_count(2, 20)));
  CHECK(w.status().links[1].connections == 1);
}

TEST_CASE("a frozen broker is noticed by its silence", "[integration][amqp]") {
  auto in = unique_name("in");
  auto out = unique_name("out");
  auto& broker = private_broker::shared();
  auto w = amqp_world{"heartbeat: 2s\n" + both_ways(in, out)};
  w.await_up();
  broker.freeze();
  w.await_status(
    [](const amqp_status& x) { return x.links[0].failures > 0 && x.links[1].failures > 0; });
  broker.thaw();
  w.await_up();
  auto other = broker_client{broker.port()};
  other.publish(numbered(in, 0, 10));
  w.await_status([](const amqp_status& x) { return x.counters.stored == 10; });
}
