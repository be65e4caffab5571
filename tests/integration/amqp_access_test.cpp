/// A user of its own with rights on its own names: enough for the node, and for nothing else.
/// Source: spec/reliability_security.md S23.
#include "bridges/amqp/table.hpp"
#include "tests/support/amqp_world.hpp"
#include "tests/support/slurp.hpp"

#include <cstdlib>
#include <functional>

using namespace troupe;
using namespace troupe::tests;

namespace {

constexpr auto try_channel = uint16_t{1};
/// As docs/amqp.md says: configure, write, read.
constexpr auto may_configure = R"(^troupe(\..*)?$)";
constexpr auto may_write = R"(^(troupe(\..*)?|amq\.default)$)";
constexpr auto may_read = R"(^(troupe(\..*)?|builds)$)";

/// The user of the documentation at the shared broker, and a stranger's exchange and queue.
void make_user() {
  static const auto once = [] {
    auto& broker = private_broker::shared();
    broker.control({"add_user", "troupe", "word"});
    broker.control({"set_permissions", "troupe", may_configure, may_write, may_read});
    setenv("TROUPE_TEST_PASSWORD", "word", 1);
    auto other = broker_client{broker.port()};
    for (auto name : {"builds", "others"})
      other.declare_exchange(name);
    for (auto name : {"others.queue", "builds.queue"}) {
      other.declare_queue(name);
      other.put(name, "{}");
    }
    return true;
  }();
  static_cast<void>(once);
}

struct intrusion {
  const char* what;
  std::function<void(amqp_connection_state_t)> run;
};

/// What somebody with the node's password might try.
std::vector<intrusion> intrusions() {
  auto out = std::vector<intrusion>{};
  for (auto name : {"others", "builds.new", "xtroupe", "troupex", "Troupe"}) {
    out.push_back({"declare an exchange", [=](auto c) {
                     amqp_exchange_declare(c, try_channel, bytes_of(name), bytes_of("topic"), 0, 1,
                                           0, 0, amqp_empty_table);
                   }});
    out.push_back({"declare a queue", [=](auto c) {
                     amqp_queue_declare(c, try_channel, bytes_of(name), 0, 1, 0, 0,
                                        amqp_empty_table);
                   }});
  }
  for (auto name : {"others", "builds", "amq.topic", "amq.direct"})
    out.push_back({"delete an exchange",
                   [=](auto c) { amqp_exchange_delete(c, try_channel, bytes_of(name), 0); }});
  for (auto name : {"others.queue", "builds.queue"}) {
    out.push_back(
      {"delete a queue", [=](auto c) { amqp_queue_delete(c, try_channel, bytes_of(name), 0, 0); }});
    out.push_back(
      {"purge a queue", [=](auto c) { amqp_queue_purge(c, try_channel, bytes_of(name)); }});
    out.push_back({"take from a queue", [=](auto c) {
                     amqp_basic_consume(c, try_channel, bytes_of(name), bytes_of("t"), 0, 1, 0,
                                        amqp_empty_table);
                   }});
    out.push_back({"bind a queue", [=](auto c) {
                     amqp_queue_bind(c, try_channel, bytes_of(name), bytes_of("builds"),
                                     bytes_of("#"), amqp_empty_table);
                   }});
    out.push_back({"unbind a queue", [=](auto c) {
                     amqp_queue_unbind(c, try_channel, bytes_of(name), bytes_of("builds"),
                                       bytes_of("#"), amqp_empty_table);
                   }});
  }
  for (auto name : {"others", "amq.topic", "amq.fanout"})
    out.push_back({"listen to an exchange", [=](auto c) {
                     amqp_queue_bind(c, try_channel, bytes_of("troupe.own"), bytes_of(name),
                                     bytes_of("#"), amqp_empty_table);
                   }});
  for (auto name : {"others", "builds", "amq.topic", "amq.direct"})
    out.push_back({"publish to an exchange", [=](auto c) {
                     amqp_basic_publish(c, try_channel, bytes_of(name), bytes_of("key"), 0, 0,
                                        nullptr, bytes_of("{}"));
                     // Publishing has no answer; the next call is refused for it.
                     amqp_queue_declare(c, try_channel, bytes_of("troupe.own"), 1, 1, 0, 0,
                                        amqp_empty_table);
                   }});
  return out;
}

} // namespace

TEST_CASE("the rights of the documentation are enough for a node", "[integration][amqp]") {
  make_user();
  auto text = slurp(TROUPE_SOURCE_DIR "/docs/amqp.md");
  for (auto right : {may_configure, may_write, may_read})
    CHECK(text.find(std::string{'\''} + right + '\'') != std::string::npos);
  auto w = amqp_world{R"(user: troupe
password_env: TROUPE_TEST_PASSWORD
exchanges: {troupe: {type: topic}}
queues:
  troupe.builds: {type: quorum, bindings: {builds: ["build.#"]}}
  troupe.seen: {bindings: {troupe: ["#"]}}
consume:
  troupe.builds: {handler: event, topic: external.builds}
publish:
  results: {topics: [external.out], exchange: troupe, unroutable: drop}
)"};
  w.await_up();
  CHECK(w.status().faults.empty());
  auto other = broker_client{private_broker::shared().port()};
  auto good = publication{};
  good.exchange = "builds";
  good.routing_key = "build.done";
  good.body = R"({"build":1})";
  auto bad = good;
  bad.body = "text";
  CHECK(other.publish({good, bad}) == 2);
  w.await_status(
    [](const amqp_status& x) { return x.counters.stored == 1 && x.counters.poison == 1; });
  w.append_bodies("external.out", {R"({"out":1})"});
  CHECK(await(30s, [&] { return other.ready("troupe.seen") == 1u; }));
  // Its dead letters, too.
  auto letters = w.ask<dead_letter_list>(peek_dead_letters{});
  REQUIRE(letters);
  CHECK(letters->letters.size() == 1);
  CHECK(w.ask<dead_letters_moved>(purge_dead_letters{}));
}

TEST_CASE("nothing else is allowed with them", "[integration][amqp]") {
  make_user();
  auto to = amqp_endpoint{};
  to.port = private_broker::shared().port();
  to.user = "troupe";
  to.password = "word";
  auto at = session::open(to, {});
  REQUIRE(at);
  REQUIRE(!(*at)->open_channel(try_channel));
  REQUIRE(!(*at)->call(try_channel, [](amqp_connection_state_t c) {
    amqp_queue_declare(c, try_channel, bytes_of("troupe.own"), 0, 1, 0, 0, amqp_empty_table);
  }));
  auto denied = 0;
  for (const auto& x : intrusions()) {
    INFO(x.what);
    auto why = (*at)->call(try_channel, x.run);
    INFO(one_line(why));
    CHECK(why == ec::forbidden);
    REQUIRE((*at)->alive());
    denied += why == ec::forbidden;
    if (why)
      REQUIRE(!(*at)->open_channel(try_channel));
  }
  CHECK(denied >= 30);
  auto other = broker_client{private_broker::shared().port()};
  CHECK(other.ready("others.queue") == 1u);
  CHECK(other.ready("builds.queue") == 1u);
  auto elsewhere = to;
  elsewhere.vhost = "other";
  CHECK(!session::open(elsewhere, {}));
}

TEST_CASE("headers of strangers decide nothing", "[integration][amqp]") {
  auto queue = unique_name("forged");
  auto victim = unique_name("victim");
  auto w = amqp_world{"queues:\n  " + queue + ": {}\n  " + victim + ": {}\nconsume:\n  " + queue
                      + ": {handler: event, topic: external.forged}\n"};
  w.await_up();
  auto other = broker_client{private_broker::shared().port()};
  auto x = publication{};
  x.routing_key = queue;
  x.body = R"({"a":1})";
  x.message_id = "forged-1";
  // As if it had died at the broker many times, and had been a letter to somebody else.
  x.headers = {{"x-death", "[{count,99}]"},
               {"x-delivery-count", "99"},
               {"x-troupe-queue", victim},
               {"x-troupe-reason", "conflict"}};
  CHECK(other.publish({x}) == 1);
  w.await_status([](const amqp_status& s) { return s.counters.stored == 1; });
  CHECK(w.events("external.forged").size() == 1);
  // A refused one: the letter tells what really happened, whatever it said before.
  x.body = "text";
  x.message_id = "forged-2";
  CHECK(other.publish({x}) == 1);
  w.await_status([](const amqp_status& s) { return s.counters.poison == 1; });
  auto letters = w.ask<dead_letter_list>(peek_dead_letters{});
  REQUIRE(letters);
  REQUIRE(letters->letters.size() == 1);
  CHECK(letters->letters[0].queue == queue);
  CHECK(letters->letters[0].reason == "invalid_argument");
  CHECK(w.ask<dead_letters_moved>(purge_dead_letters{}));
  CHECK(other.ready(victim) == 0u);
}
