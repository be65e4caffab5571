/// Machines over a real broker, as a user who may do there what Pulse allows. Source:
/// spec/machines.md 2.5, 2.9.
#include "tests/support/amqp_world.hpp"
#include "tests/support/pulse_messages.hpp"

#include <algorithm>
#include <set>

using namespace troupe;
using namespace troupe::tests;

namespace {

/// The exchanges of Taskcluster, which belong to others.
void declare_pulse(broker_client& other, const std::string& prefix) {
  for (auto kind : pulse_task_kinds)
    other.declare_exchange(prefix + std::string{pulse_task_prefix} + std::string{kind});
  for (auto kind : pulse_worker_kinds)
    other.declare_exchange(prefix + std::string{pulse_worker_prefix} + std::string{kind});
}

std::string exchange_list(const std::string& prefix) {
  auto out = std::string{};
  for (auto kind : pulse_task_kinds)
    out += '"' + prefix + std::string{pulse_task_prefix} + std::string{kind} + "\", ";
  for (auto kind : pulse_worker_kinds)
    out += '"' + prefix + std::string{pulse_worker_prefix} + std::string{kind} + "\", ";
  return '[' + out.substr(0, out.size() - 2) + ']';
}

std::string feed_yaml(const std::string& name, const std::string& prefix,
                      const std::string& more = {}) {
  return "pulse:\n  " + name + ": {exchanges: " + exchange_list(prefix)
         + ", queue_type: classic" + more + "}\n";
}

/// What the journal should hold of these messages, as text, each with its count.
std::map<std::string, int> told_by(const std::vector<publication>& messages,
                                   const std::string& feed) {
  auto out = std::map<std::string, int>{};
  for (const auto& x : messages) {
    auto in = inbound_message{};
    in.exchange = x.exchange;
    in.body = x.body;
    auto news = read_pulse({feed, 0, {"releng-hardware"}, {}}, in);
    if (news && news->ignored.empty())
      ++out[pack(news->what)];
  }
  return out;
}

std::map<std::string, int> stored(amqp_world& w) {
  auto out = std::map<std::string, int>{};
  for (const auto& x : w.events(machine_seen::topic))
    ++out[x.what.payload];
  return out;
}

/// The messages of a script, all of them twice, in any order.
std::vector<publication> shuffled(const std::string& prefix, uint64_t seed, size_t count) {
  auto out = std::vector<publication>{};
  for (const auto& x : pulse_script{seed}.take(count))
    out.insert(out.end(), 2, to_publication(x, prefix));
  std::shuffle(out.begin(), out.end(), std::mt19937_64{seed});
  return out;
}

} // namespace

TEST_CASE("each message of a feed is in the journal, and only what tells of machines",
          "[integration][amqp][machines]") {
  auto prefix = unique_name("all") + '/';
  auto name = unique_name("feed");
  auto other = broker_client{private_broker::shared().port()};
  declare_pulse(other, prefix);
  other.delete_queue("troupe.dead"); // of others that were here
  auto w = amqp_world{feed_yaml(name, prefix)};
  w.await_up();
  auto messages = shuffled(prefix, 3, 1'500);
  auto foreign = to_publication(pulse_script{4}.take(1).front(), prefix);
  auto away = json::parse(foreign.body);
  away["status"]["provisionerId"] = "aws-provisioner";
  foreign.body = away.dump(); // As if one of its routes were ours.
  auto broken = messages.front();
  broken.body = R"({"version":1,"status":{"taskId":)";
  messages.insert(messages.begin() + 700, {foreign, broken});
  auto expected = told_by(messages, name);
  REQUIRE(other.publish(messages) == messages.size());
  w.await_status([&](const amqp_status& x) {
    return x.counters.delivered == messages.size() && x.queues[0].unsettled == 0;
  });
  CHECK(stored(w) == expected);
  auto feed = w.status().feeds.at(0);
  CHECK(feed.parse_errors == 1);
  CHECK(feed.ignored.at("provisioner") == 1);
  CHECK(feed.ignored.at("unclaimed") > 0);
  CHECK(feed.recovered > 0);
  CHECK(feed.messages.at("task-running") > 0);
  CHECK(feed.queue == "queue/guest/" + name);
  // Nothing of ours is made at a broker of others but the queue.
  CHECK_FALSE(other.ready("troupe.dead"));
  w.drain_bridge();
  CHECK(other.ready(feed.queue) == 0u);
}

TEST_CASE("what is published while nobody listens or the broker dies is not lost",
          "[integration][amqp][machines]") {
  auto prefix = unique_name("dies") + '/';
  auto name = unique_name("feed");
  auto& broker = private_broker::shared();
  auto messages = shuffled(prefix, 5, 900);
  auto expected = told_by(messages, name);
  auto third = messages.size() / 3;
  auto part = [&](size_t n) {
    return std::vector<publication>(messages.begin() + static_cast<std::ptrdiff_t>(n * third),
                                    messages.begin() + static_cast<std::ptrdiff_t>((n + 1) * third));
  };
  {
    auto other = broker_client{broker.port()};
    declare_pulse(other, prefix);
  }
  auto w = amqp_world{feed_yaml(name, prefix)};
  w.await_up();
  w.kill_bridge();
  broker_client{broker.port()}.publish(part(0));
  w.start_bridge();
  w.await_up();
  broker_client{broker.port()}.publish(part(1));
  broker.crash();
  broker.start();
  w.await_up();
  broker_client{broker.port()}.publish(part(2));
  auto missing = [&] {
    auto all = stored(w);
    return std::count_if(expected.begin(), expected.end(),
                         [&](const auto& x) { return all[x.first] < x.second; });
  };
  CHECK(await(60s, [&] { return missing() == 0; }));
  // What came again is the same sign: whoever keeps machines knows it.
  CHECK(stored(w).size() == expected.size());
}

TEST_CASE("exchanges of others are taken for granted, not made", "[integration][amqp][machines]") {
  auto prefix = unique_name("absent") + '/';
  auto name = unique_name("feed");
  auto w = amqp_world{"refresh: 1s\n" + feed_yaml(name, prefix)};
  w.await_status([](const amqp_status& x) { return !x.faults.empty(); });
  CHECK_THAT(w.status().faults.front().what, Catch::StartsWith("binding of queue/guest/"));
  auto other = broker_client{private_broker::shared().port()};
  declare_pulse(other, prefix); // As another queue this would fail if they were there otherwise.
  w.await_status([](const amqp_status& x) { return x.faults.empty(); });
  auto one = to_publication(pulse_script{8}.take(1).front(), prefix);
  CHECK(await(20s, [&] { return other.publish({one}) == 1; }));
  CHECK(await(20s, [&] { return !stored(w).empty(); }));
}

TEST_CASE("a feed needs no more than Pulse allows", "[integration][amqp][machines]") {
  auto prefix = unique_name("rights") + '/';
  auto name = unique_name("feed");
  auto& broker = private_broker::shared();
  broker.control({"add_user", "tracker", "secret-word"});
  broker.control({"set_permissions", "-p", "/", "tracker", "^(queue/tracker/.*|exchange/tracker/.*)",
                  "^(queue/tracker/.*|exchange/tracker/.*)",
                  "^(queue/tracker/.*|.*exchange/.*)"});
  auto other = broker_client{broker.port()};
  declare_pulse(other, prefix);
  ::setenv("AMQP_USER", "tracker", 1);
  ::setenv("AMQP_PASS", "secret-word", 1);
  {
    auto w = amqp_world{feed_yaml(name, prefix)};
    w.await_up();
    auto messages = shuffled(prefix, 9, 50);
    REQUIRE(other.publish(messages) == messages.size());
    w.await_status([&](const amqp_status& x) { return x.counters.delivered == messages.size(); });
    CHECK(w.status().faults.empty());
    CHECK(w.status().feeds.at(0).queue == "queue/tracker/" + name);
    CHECK(await(20s, [&] { return stored(w) == told_by(messages, name); }));
  }
  ::unsetenv("AMQP_USER");
  ::unsetenv("AMQP_PASS");
}
