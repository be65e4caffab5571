/// What goes out of the journal, against a real broker.
#include "tests/support/amqp_world.hpp"

using namespace troupe;
using namespace troupe::tests;

namespace {

std::vector<std::string> some_bodies(int count) {
  auto out = std::vector<std::string>{};
  for (auto i = 0; i < count; ++i)
    out.push_back("{\"n\":" + std::to_string(i) + '}');
  return out;
}

std::string publish_yaml(const std::string& exchange, const std::string& more = {}) {
  return "exchanges:\n  " + exchange
         + ": {}\npublish:\n  events: {topics: [external.], exchange: " + exchange + more + "}\n";
}

} // namespace

TEST_CASE("events are published, confirmed, and known by a stable id", "[integration][amqp]") {
  auto exchange = unique_name("out");
  auto queue = unique_name("seen");
  auto w = amqp_world{publish_yaml(exchange)};
  w.await_up();
  auto other = broker_client{private_broker::shared().port()};
  other.declare_queue(queue);
  other.bind(queue, exchange, "external.#");
  w.append_bodies("external.a", some_bodies(1'000));
  w.append("job.ledger_opened", pack(ledger_opened{3}));
  w.await_status([](const amqp_status& x) {
    return x.counters.confirmed == 1'000 && x.published_up_to == 1'001 && x.unconfirmed == 0;
  });
  auto got = other.take_all(queue);
  REQUIRE(got.size() == 1'000);
  CHECK(got[0].routing_key == "external.a");
  CHECK(got[0].body == "{\"n\":0}");
  CHECK(got[0].content_type == "application/json");
  CHECK(got[0].app_id.starts_with("troupe/"));
  CHECK(got[0].message_id == got[0].app_id.substr(7) + "-1-0");
  // A new bridge goes on where the cursor is.
  w.drain_bridge();
  w.start_bridge();
  w.append_bodies("external.a", {"{\"last\":1}"});
  w.await_status([](const amqp_status& x) { return x.counters.confirmed == 1; });
  CHECK(other.take_all(queue).size() == 1);
}

TEST_CASE("other events are published as JSON of their records", "[integration][amqp]") {
  auto exchange = unique_name("records");
  auto queue = unique_name("seen");
  auto w = amqp_world{"exchanges:\n  " + exchange
                      + ": {}\npublish:\n  events: {topics: [job.], exchange: " + exchange + "}\n"};
  w.await_up();
  auto other = broker_client{private_broker::shared().port()};
  other.declare_queue(queue);
  other.bind(queue, exchange, "#");
  auto queued = job_queued{};
  queued.job = new_job_id();
  queued.what.subject = "hello";
  queued.what.spec = "not for others";
  w.append(job_queued::topic, pack(queued));
  w.await_status([](const amqp_status& x) { return x.counters.confirmed == 1; });
  auto got = other.take_all(queue);
  REQUIRE(got.size() == 1);
  CHECK(got[0].type == "job.queued");
  auto body = parse_json_text(got[0].body);
  REQUIRE(body);
  CHECK((*body)["event_id"] == got[0].message_id);
  CHECK((*body)["record"]["job"]["subject"] == "hello");
  CHECK(got[0].body.find("not for others") == std::string::npos);
}

TEST_CASE("a message that no queue wants goes to the dead letters and holds up nothing",
          "[integration][amqp]") {
  auto exchange = unique_name("nobody");
  auto dead = unique_name("dead");
  auto queue = unique_name("later");
  auto w = amqp_world{publish_yaml(exchange) + "dead_letters: " + dead + "\nretry_for: 1s\n"};
  w.await_up();
  auto other = broker_client{private_broker::shared().port()};
  other.declare_queue(queue);
  other.bind(queue, exchange, "external.wanted");
  w.append_bodies("external.unwanted", {"{\"lost\":1}"});
  w.append_bodies("external.wanted", some_bodies(100));
  CHECK(await(30s, [&] { return other.ready(queue) == 100u; }));
  w.await_status([](const amqp_status& x) {
    return x.counters.dead_letters == 1 && x.published_up_to == 101 && x.waiting == 0;
  });
  CHECK(w.status().counters.returned >= 1);
  auto letters = w.ask<dead_letter_list>(peek_dead_letters{});
  REQUIRE(letters);
  REQUIRE(letters->letters.size() == 1);
  CHECK(letters->letters[0].reason == "unroutable");
  CHECK(letters->letters[0].exchange == exchange);
  // Nobody wants it still: it stays. Then somebody does.
  auto moved = w.ask<dead_letters_moved>(replay_dead_letters{});
  REQUIRE(moved);
  CHECK(moved->stayed == 1);
  other.bind(queue, exchange, "external.unwanted");
  moved = w.ask<dead_letters_moved>(replay_dead_letters{});
  REQUIRE(moved);
  CHECK(moved->moved == 1);
  auto got = other.take_all(queue);
  REQUIRE(got.size() == 101);
  CHECK(got.back().body == "{\"lost\":1}");
  CHECK(got.back().routing_key == "external.unwanted");
}

TEST_CASE("unroutable messages can be left out", "[integration][amqp]") {
  auto exchange = unique_name("nobody");
  auto w = amqp_world{publish_yaml(exchange, ", unroutable: drop")};
  w.await_up();
  w.append_bodies("external.a", some_bodies(50));
  w.await_status(
    [](const amqp_status& x) { return x.counters.dropped == 50 && x.published_up_to == 50; });
}

TEST_CASE("a place that is not there holds up no other", "[integration][amqp]") {
  auto good = unique_name("good");
  auto queue = unique_name("seen");
  auto dead = unique_name("dead");
  auto w = amqp_world{"dead_letters: " + dead + "\nretry_for: 1s\nexchanges:\n  " + good
                      + ": {}\npublish:\n  bad: {topics: [external.bad], exchange: "
                        "no_such_exchange}\n  good: {topics: [external.good], exchange: "
                      + good + "}\n"};
  auto other = broker_client{private_broker::shared().port()};
  w.await_up();
  other.declare_queue(queue);
  other.bind(queue, good, "#");
  for (auto i = 0; i < 20; ++i) {
    w.append_bodies("external.bad", some_bodies(2));
    w.append_bodies("external.good", some_bodies(10));
  }
  CHECK(await(60s, [&] { return other.ready(queue) == 200u; }));
  w.await_status(
    [](const amqp_status& x) { return x.counters.dead_letters == 40 && x.published_up_to == 240; });
  CHECK(other.ready(queue) == 200u);
}

TEST_CASE("an exchange that was deleted is made again", "[integration][amqp]") {
  auto exchange = unique_name("comes_back");
  auto queue = unique_name("seen");
  auto w = amqp_world{publish_yaml(exchange) + "queues:\n  " + queue + ": {bindings: {" + exchange
                      + ": [\"#\"]}}\nrefresh: 1s\n"};
  w.await_up();
  auto other = broker_client{private_broker::shared().port()};
  other.delete_exchange(exchange);
  w.append_bodies("external.a", some_bodies(10));
  w.await_status([](const amqp_status& x) { return x.published_up_to == 10; });
  CHECK(await(30s, [&] { return other.ready(queue) == 10u; }));
}

TEST_CASE("services that declare a non-durable exchange share the broker", "[integration][amqp]") {
  auto exchange = unique_name("ebs");
  auto queue = unique_name("legacy");
  auto other = broker_client{private_broker::shared().port()};
  other.declare_exchange(exchange, false);
  other.declare_queue(queue, false);
  other.bind(queue, exchange, "external.#");
  {
    // Durable is refused with 406, named, and left alone; all else works.
    auto second = unique_name("ours");
    auto w = amqp_world{"exchanges:\n  " + exchange + ": {durable: true}\nqueues:\n  " + second
                        + ": {}\nconsume:\n  " + second + ": {handler: event}\n"};
    w.await_up();
    auto faults = w.status().faults;
    REQUIRE(faults.size() == 1);
    CHECK(faults[0].what == "exchange " + exchange);
    CHECK(faults[0].text.find("406") != std::string::npos);
    other.put(second, "{}", "x");
    w.await_status([](const amqp_status& x) { return x.counters.stored == 1; });
  }
  auto w = amqp_world{"exchanges:\n  " + exchange
                      + ": {durable: false}\npublish:\n  events: {topics: [external.], exchange: "
                      + exchange + "}\n"};
  w.await_up();
  CHECK(w.status().faults.empty());
  w.append_bodies("external.a", some_bodies(3));
  CHECK(await(30s, [&] { return other.ready(queue) == 3u; }));
}

TEST_CASE("what this journal published is not taken in again", "[integration][amqp]") {
  auto exchange = unique_name("loop");
  auto queue = unique_name("loop");
  auto w = amqp_world{publish_yaml(exchange) + "queues:\n  " + queue + ": {bindings: {" + exchange
                      + ": [\"#\"]}}\nconsume:\n  " + queue + ": {handler: event}\n"};
  w.await_up();
  w.append_bodies("external.a", some_bodies(10));
  w.await_status([](const amqp_status& x) { return x.counters.own == 10; });
  CHECK(w.status().counters.stored == 0);
}
