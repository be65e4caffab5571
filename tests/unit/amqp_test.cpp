/// The rules of the bridge to RabbitMQ that need no broker.
#include "bridges/amqp/dead_letter_box.hpp"
#include "bridges/amqp/inbound_desk.hpp"
#include "bridges/amqp/table.hpp"

#include <catch2/catch.hpp>

#include <map>
#include <random>

using namespace troupe;
using namespace std::chrono_literals;

TEST_CASE("addresses of brokers are read as everybody writes them", "[unit][amqp]") {
  struct row {
    const char* text;
    const char* host;
    int port;
    const char* vhost;
    const char* user;
    const char* password;
    bool tls;
  };
  for (const auto& x : {
         row{"rabbit", "rabbit", 5672, "/", "guest", "guest", false},
         row{"rabbit:5673", "rabbit", 5673, "/", "guest", "guest", false},
         row{"amqp://rabbit", "rabbit", 5672, "/", "guest", "guest", false},
         row{"amqp://a:b@rabbit:1/x", "rabbit", 1, "x", "a", "b", false},
         row{"amqp://a:p%40ss%2f@rabbit/%2f", "rabbit", 5672, "/", "a", "p@ss/", false},
         row{"amqps://rabbit/", "rabbit", 5671, "/", "guest", "guest", true},
         row{"amqp://u@[::1]:5/v", "::1", 5, "v", "u", "", false},
       }) {
    INFO(x.text);
    auto got = parse_amqp_url(x.text);
    REQUIRE(got);
    CHECK(got->host == x.host);
    CHECK(got->port == x.port);
    CHECK(got->vhost == x.vhost);
    CHECK(got->user == x.user);
    CHECK(got->password == x.password);
    CHECK(got->tls == x.tls);
    CHECK(to_string(*got).find('@') == std::string::npos);
  }
  for (auto text :
       {"", "http://rabbit", "amqp://a:%zz@rabbit", "rabbit:0", "rabbit:99999", "rabbit:5x",
        "amqp://[::1", "amqp://a%00b@rabbit", "amqp://r/v?heartbeat=1", "two words"}) {
    INFO(text);
    auto got = parse_amqp_url(text);
    REQUIRE(!got);
    CHECK(one_line(got.error()).find("zz") == std::string::npos);
  }
}

TEST_CASE("routing keys match patterns as in a topic exchange", "[unit][amqp]") {
  struct row {
    const char* pattern;
    const char* key;
    bool matches;
  };
  for (const auto& x : {
         row{"a.b", "a.b", true},       row{"a.b", "a.c", false},
         row{"a.*", "a.b", true},       row{"a.*", "a", false},
         row{"a.*", "a.b.c", false},    row{"a.#", "a", true},
         row{"a.#", "a.b.c", true},     row{"#", "", true},
         row{"#", "a.b", true},         row{"*", "", false},
         row{"#.b", "a.b", true},       row{"#.b", "a.b.c", false},
         row{"a.#.d", "a.b.c.d", true}, row{"a.#.d", "a.d", true},
         row{"#.a.#", "x.a.y", true},   row{"", "", true},
         row{"", "a", false},           row{"a..b", "a..b", true},
         row{"*.*", "a.b", true},       row{"#.*", "a", true},
         row{"*.#", "", false},
       }) {
    INFO(x.pattern << " and " << x.key);
    CHECK(key_matches(x.pattern, x.key) == x.matches);
  }
  // No pattern takes long.
  auto many = std::string{};
  for (auto i = 0; i < 60; ++i)
    many += "#.a.";
  CHECK(!key_matches(many + 'b', std::string(250, '.')));
}

TEST_CASE("the pattern that says most finds the handler", "[unit][amqp]") {
  static constexpr auto rows = std::array<inbound_handler, 4>{
    inbound_handler{"all", nullptr}, {"one", nullptr}, {"part", nullptr}, {"exact", nullptr}};
  auto queue = consumed_queue{};
  queue.handlers = {{"#", &rows[0]}, {"a.*", &rows[2]}, {"a.b", &rows[3]}, {"*", &rows[1]}};
  auto name = [&](const char* key) { return handler_for(queue, key)->name; };
  CHECK(name("a.b") == "exact");
  CHECK(name("a.c") == "part");
  CHECK(name("x") == "one");
  CHECK(name("x.y.z") == "all");
  queue.handlers.clear();
  CHECK(handler_for(queue, "a") == nullptr);
}

TEST_CASE("acknowledgements cover the prefix, and single ones past a gap", "[unit][amqp]") {
  auto w = ack_window{};
  auto t = ack_window::clock::time_point{1s};
  for (auto tag = 1U; tag <= 10; ++tag)
    w.delivered(tag);
  CHECK(w.take(t).empty());
  for (auto tag : {1U, 2U, 3U, 6U, 5U})
    w.settle(tag, t);
  CHECK(w.open() == 5);
  CHECK(w.take(t) == std::vector<ack>{{3, true}});
  CHECK(w.take(t + 50ms).empty());
  CHECK(w.take(t + 200ms) == std::vector<ack>{{5, false}, {6, false}});
  w.settle(4, t + 300ms);
  // 5 and 6 were acknowledged: naming them again would close the channel.
  CHECK(w.take(t + 300ms) == std::vector<ack>{{4, false}});
  w.settle(7, t + 300ms);
  w.settle(7, t + 300ms);
  w.settle(99, t + 300ms);
  CHECK(w.take(t + 300ms) == std::vector<ack>{{7, false}});
  CHECK(w.open() == 3);
}

TEST_CASE("in whatever order deliveries are settled, each is acknowledged once", "[unit][amqp]") {
  for (auto seed = 0U; seed < 200; ++seed) {
    auto random = std::mt19937{seed};
    auto w = ack_window{};
    auto t = ack_window::clock::time_point{1s};
    auto order = std::vector<uint64_t>{};
    for (auto tag = uint64_t{1}; tag <= 100; ++tag) {
      w.delivered(tag);
      order.push_back(tag);
    }
    std::shuffle(order.begin(), order.end(), random);
    auto settled = std::set<uint64_t>{};
    auto open = std::set<uint64_t>{order.begin(), order.end()};
    auto look = [&] {
      for (const auto& x : w.take(t)) {
        // The broker's rule: the tag named is one that it has not been told of.
        REQUIRE(open.count(x.tag) == 1);
        auto from = x.multiple ? open.begin() : open.find(x.tag);
        auto to = open.upper_bound(x.tag);
        for (auto i = from; i != to; ++i)
          REQUIRE(settled.count(*i) == 1);
        open.erase(from, to);
      }
    };
    for (auto tag : order) {
      w.settle(tag, t);
      settled.insert(tag);
      t += std::chrono::milliseconds{random() % 40};
      if (random() % 3 == 0)
        look();
    }
    t += 1s;
    look();
    CHECK(open.empty());
    CHECK(w.open() == 0);
    CHECK(!w.pending());
  }
}

TEST_CASE("a message is known by its id, or by what it is", "[unit][amqp]") {
  auto x = inbound_message{};
  x.queue = "q";
  x.body = "{}";
  x.message_id = "m";
  CHECK(!identify(x));
  CHECK(x.id == "amqp/q/m");
  auto y = x;
  y.message_id.clear();
  CHECK(identify(y));
  auto z = y;
  z.body = "{ }";
  CHECK(identify(z));
  CHECK(y.id != z.id);
  x.message_id = std::string(255, 'm');
  x.queue = std::string(200, 'q');
  identify(x);
  CHECK(x.id.size() <= 256);
}

TEST_CASE("a letter says why it is there and where it was bound", "[unit][amqp]") {
  auto x = inbound_message{};
  x.queue = "q";
  x.exchange = "e";
  x.routing_key = "k";
  x.message_id = "m";
  x.body = "broken";
  auto theirs = table_builder{};
  theirs.add_text("own", "header");
  theirs.add_number("n", 7);
  x.headers = encode_table(theirs.get());
  auto letter = dead_letter_of(x, "dead", fault_at(ec::too_large, "body", "is too large"));
  CHECK(letter.exchange.empty());
  CHECK(letter.routing_key == "dead");
  // As it comes back from the broker.
  auto all = table_builder{};
  all.add_encoded(letter.kept_headers, "x-troupe-");
  for (const auto& [name, value] : letter.headers)
    all.add_text(name, value);
  auto back = x;
  back.exchange.clear();
  back.routing_key = "dead";
  back.headers = encode_table(all.get());
  auto shown = read_letter(back);
  CHECK(shown.reason == "too_large");
  CHECK(shown.queue == "q");
  CHECK(shown.exchange == "e");
  CHECK(shown.routing_key == "k");
  auto again = message_of_letter(back);
  REQUIRE(again);
  CHECK(again->exchange.empty());
  CHECK(again->routing_key == "q");
  // What handlers see of it when it is consumed again.
  auto headers = table_builder{};
  headers.add_encoded(again->kept_headers, "x-troupe-");
  for (const auto& [name, value] : again->headers)
    headers.add_text(name, value);
  auto come = inbound_message{};
  come.queue = "q";
  come.routing_key = "q";
  come.headers = encode_table(headers.get());
  identify(come);
  CHECK(come.exchange == "e");
  CHECK(come.routing_key == "k");
  CHECK(header_text(come.headers, "own") == "header");
  CHECK(header_text(come.headers, "n") == "7");
  CHECK(!message_of_letter(inbound_message{}));
}

TEST_CASE("headers of any bytes are no danger", "[unit][amqp]") {
  auto good = table_builder{};
  good.add_text("a", "b");
  auto text = encode_table(good.get());
  CHECK(header_text(text, "a") == "b");
  for (auto cut = size_t{0}; cut < text.size(); ++cut)
    CHECK(!header_text(text.substr(0, cut), "a"));
  auto random = std::mt19937{1};
  for (auto i = 0; i < 20'000; ++i) {
    auto bad = text;
    bad[random() % bad.size()] = static_cast<char>(random());
    static_cast<void>(header_text(bad, "a"));
  }
}

TEST_CASE("an event's message has JSON without what is secret", "[unit][amqp]") {
  auto what = stored_event{};
  what.sequence = 7;
  what.what.topic = job_queued::topic;
  auto queued = job_queued{};
  queued.what.spec = "secret";
  what.what.payload = pack(queued);
  auto place = outbound_place{"j", "", ""};
  auto got = find_outbound_rule("record")->make(what, place);
  REQUIRE(got);
  REQUIRE(got->size() == 1);
  CHECK(got->front().exchange == "troupe");
  CHECK(got->front().routing_key == "job.queued");
  CHECK(got->front().body.find("secret") == std::string::npos);
  CHECK(outbound_id(place, what) == "j-7-0");
  what.what.payload = "no record";
  CHECK(!find_outbound_rule("record")->make(what, place));
}
