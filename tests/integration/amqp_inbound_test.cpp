/// What queues deliver, against a real broker.
#include "tests/support/amqp_world.hpp"

using namespace troupe;
using namespace troupe::tests;

namespace {

std::string consume_yaml(const std::string& queue, const std::string& more = {}) {
  return "queues:\n  " + queue + ": {}\nconsume:\n  " + queue + ": {handler: event" + more + "}\n";
}

/// Stands before the journal; its first answer to an append comes too late.
caf::behavior late_journal(caf::event_based_actor* self, journal_actor real) {
  auto late = std::make_shared<bool>(true);
  return {
    [=](append_events& what) {
      auto promise = self->make_response_promise<append_results>();
      self->request(real, caf::infinite, std::move(what))
        .then([=](append_results& x) mutable {
          if (std::exchange(*late, false))
            std::this_thread::sleep_for(1500ms);
          promise.deliver(std::move(x));
        });
      return promise;
    },
    [=](status_atom) {
      auto promise = self->make_response_promise<journal_status>();
      self->request(real, caf::infinite, status_atom_v).then([=](journal_status& x) mutable {
        promise.deliver(std::move(x));
      });
      return promise;
    },
  };
}

} // namespace

TEST_CASE("a message becomes an event and leaves its queue", "[integration][amqp]") {
  auto queue = unique_name("taken");
  auto w = amqp_world{consume_yaml(queue)};
  w.await_up();
  auto other = broker_client{private_broker::shared().port()};
  REQUIRE(other.publish(numbered(queue, 0, 2'000)) == 2'000);
  w.await_status([](const amqp_status& x) { return x.counters.stored == 2'000; });
  auto bodies = bodies_of(w.events("external." + queue));
  CHECK(bodies.size() == 2'000);
  w.await_status(
    [](const amqp_status& x) { return x.queues[0].unsettled == 0 && x.bytes_in_flight == 0; });
  w.drain_bridge();
  CHECK(other.ready(queue) == 0u);
}

TEST_CASE("a delivery is acknowledged when the journal has it, not before", "[integration][amqp]") {
  auto queue = unique_name("late");
  auto w = amqp_world{consume_yaml(queue)};
  w.await_up();
  w.hide_journal(true);
  auto other = broker_client{private_broker::shared().port()};
  other.publish(numbered(queue, 0, 50));
  w.await_status([](const amqp_status& x) { return x.counters.delivered == 50; });
  w.await_status([](const amqp_status& x) { return x.queues[0].unsettled == 50; });
  CHECK(w.status().counters.stored == 0);
  // Whoever dies now has lost nothing.
  w.kill_bridge();
  CHECK(await(30s, [&] { return other.ready(queue) == 50u; }));
  w.hide_journal(false);
  w.start_bridge();
  w.await_status([](const amqp_status& x) { return x.counters.stored == 50; });
  CHECK(bodies_of(w.events("external." + queue)).size() == 50);
}

TEST_CASE("deliveries wait for an absent journal and are stored when it is back",
          "[integration][amqp]") {
  auto queue = unique_name("waits");
  auto w = amqp_world{consume_yaml(queue, ", prefetch: 20")};
  w.await_up();
  w.hide_journal(true);
  auto other = broker_client{private_broker::shared().port()};
  other.publish(numbered(queue, 0, 100));
  // No more than the prefetch are held.
  w.await_status([](const amqp_status& x) { return x.queues[0].unsettled == 20; });
  w.hide_journal(false);
  w.await_status([](const amqp_status& x) { return x.counters.stored == 100; });
  auto bodies = bodies_of(w.events("external." + queue));
  CHECK(bodies.size() == 100);
}

TEST_CASE("the same id has one effect, and equal bodies without ids have two",
          "[integration][amqp]") {
  auto queue = unique_name("twice");
  auto w = amqp_world{consume_yaml(queue)};
  w.await_up();
  auto other = broker_client{private_broker::shared().port()};
  other.put(queue, R"({"a":1})", "id-1");
  other.put(queue, R"({"a":1})", "id-1");
  other.put(queue, R"({"b":1})");
  other.put(queue, R"({"b":1})");
  w.await_status(
    [](const amqp_status& x) { return x.counters.stored == 3 && x.counters.repeated == 1; });
  auto bodies = bodies_of(w.events("external." + queue));
  CHECK(bodies[R"({"a":1})"] == 1);
  CHECK(bodies[R"({"b":1})"] == 2);
}

TEST_CASE("a journal that answers late does not double what has no id", "[integration][amqp]") {
  auto queue = unique_name("late_answer");
  auto w = amqp_world{"request_limit: 500ms\n" + consume_yaml(queue)};
  w.await_up();
  auto real = w.journal;
  auto relay = w.sys.spawn<caf::detached>(late_journal, real);
  w.journal = caf::actor_cast<journal_actor>(relay);
  auto other = broker_client{private_broker::shared().port()};
  for (auto i = 0; i < 3; ++i)
    other.put(queue, "{\"n\":" + std::to_string(i) + '}');
  w.await_status([](const amqp_status& x) {
    return x.counters.delivered == 3 && x.counters.retries > 0 && x.queues[0].settled == 3;
  });
  w.journal = real;
  caf::anon_send_exit(relay, caf::exit_reason::user_shutdown);
  auto bodies = bodies_of(w.events("external." + queue));
  CHECK(bodies.size() == 3);
  for (const auto& [body, times] : bodies)
    CHECK(times == 1);
}

TEST_CASE("poison goes to the dead letters with its reason, its neighbours do not",
          "[integration][amqp]") {
  auto queue = unique_name("poison");
  auto dead = unique_name("dead");
  auto w = amqp_world{"dead_letters: " + dead + "\nqueues:\n  " + queue + ": {}\nconsume:\n  "
                      + queue + ":\n    max_body: 1KiB\n    handlers: {" + queue + ": event}\n"};
  w.await_up();
  auto other = broker_client{private_broker::shared().port()};
  auto deep = std::string(200, '[') + std::string(200, ']');
  other.publish(numbered(queue, 0, 100));
  other.put(queue, "not json", "bad-1");
  other.put(queue, deep, "bad-2");
  other.put(queue, '"' + std::string(2'000, 'x') + '"', "bad-3");
  other.put(queue, R"({"other":"body"})", queue + "-1");
  other.publish(numbered(queue, 100, 100));
  w.await_status([](const amqp_status& x) {
    return x.counters.stored == 200 && x.counters.poison == 4 && x.queues[0].unsettled == 0;
  });
  CHECK(bodies_of(w.events("external." + queue)).size() == 200);

  auto queues = w.ask<dead_letter_queues>(list_dead_letters{});
  REQUIRE(queues);
  REQUIRE(queues->queues.size() == 1);
  CHECK(queues->queues[0].messages == 4);
  auto letters = w.ask<dead_letter_list>(peek_dead_letters{"", 100});
  REQUIRE(letters);
  auto reasons = std::multiset<std::string>{};
  for (const auto& x : letters->letters) {
    reasons.insert(x.reason);
    CHECK(x.queue == queue);
    CHECK(x.routing_key == queue);
  }
  CHECK(
    reasons
    == std::multiset<std::string>{"conflict", "invalid_argument", "invalid_argument", "too_large"});
  // Replayed, they come back for the same reasons: none is lost, none doubled.
  auto moved = w.ask<dead_letters_moved>(replay_dead_letters{dead, 0});
  REQUIRE(moved);
  CHECK(moved->moved == 4);
  w.await_status([](const amqp_status& x) { return x.counters.poison == 8; });
  CHECK(await(10s, [&] { return other.ready(dead) == 4u; }));
  auto purged = w.ask<dead_letters_moved>(purge_dead_letters{dead});
  REQUIRE(purged);
  CHECK(purged->moved == 4);
  CHECK(!w.ask<dead_letters_moved>(purge_dead_letters{"no such queue"}));
}

TEST_CASE("a replayed letter that can be taken in now is taken in", "[integration][amqp]") {
  auto queue = unique_name("replayed");
  auto exchange = unique_name("topics");
  auto dead = unique_name("dead");
  auto declared = "dead_letters: " + dead + "\nexchanges:\n  " + exchange + ": {}\nqueues:\n  "
                  + queue + ": {bindings: {" + exchange + ": [\"#\"]}}\n";
  auto other = broker_client{private_broker::shared().port()};
  {
    auto w = amqp_world{declared + "consume:\n  " + queue + ": {handlers: {known.key: event}}\n"};
    w.await_up();
    auto x = publication{};
    x.exchange = exchange;
    x.routing_key = "new.key";
    x.body = R"({"early":true})";
    x.message_id = "early";
    CHECK(other.publish({x}) == 1);
    w.await_status([](const amqp_status& s) { return s.counters.poison == 1; });
    w.drain_bridge();
  }
  auto w = amqp_world{declared + "consume:\n  " + queue
                      + ": {handlers: {known.key: event, new.*: event}}\n"};
  w.await_up();
  auto moved = w.ask<dead_letters_moved>(replay_dead_letters{});
  REQUIRE(moved);
  CHECK(moved->moved == 1);
  w.await_status([](const amqp_status& s) { return s.counters.stored == 1; });
  auto events = w.events("external." + queue);
  REQUIRE(events.size() == 1);
  auto what = unpack<external_event>(events[0].what.payload);
  REQUIRE(what);
  CHECK(what->routing_key == "new.key");
  CHECK(what->exchange == exchange);
}
