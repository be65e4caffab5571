/// From messages at RabbitMQ to what the machine tracker answers, in one node.
/// Source: spec/machines.md 2.9, numbers 2, 5, 6, 9 and 10.
#include "config/section.hpp"
#include "messages/ids.hpp"
#include "messages/protocols.hpp"
#include "messages/time.hpp"
#include "nodes/node.hpp"
#include "tests/support/broker_client.hpp"
#include "tests/support/fault_count.hpp"
#include "tests/support/machine_expectation.hpp"
#include "tests/support/private_broker.hpp"
#include "tests/support/temp_folder.hpp"

#include <caf/scoped_actor.hpp>
#include <catch2/catch.hpp>

#include <random>

using namespace troupe;
using namespace troupe::tests;
using namespace std::chrono_literals;

namespace {

/// What is published at once, and what a shuffle holds back: memory does not grow with the count.
constexpr auto slice = size_t{5'000};
constexpr auto held_back = size_t{50'000};
constexpr auto longest_wait = std::chrono::minutes{40};

/// A node that listens to exchanges of its own at the shared broker, and somebody who publishes.
class pulse_node {
public:
  pulse_node() {
    auto exchanges = std::string{};
    auto other = broker_client{private_broker::shared().port()};
    auto add = [&](std::string_view start, std::string_view kind) {
      auto name = prefix + std::string{start} + std::string{kind};
      other.declare_exchange(name);
      exchanges += (exchanges.empty() ? "\"" : ", \"") + name + '"';
    };
    for (auto kind : pulse_task_kinds)
      add(pulse_task_prefix, kind);
    for (auto kind : pulse_worker_kinds)
      add(pulse_worker_prefix, kind);
    auto root = section::from_text(
      "node: {log: error, data: " + folder_.path()
        + "}\nroles:\n  journal: {}\n"
          // The messages are of 2018 and must not be forgotten while the test runs.
          "  machines: {alerts: {enabled: false}, keep_for: 36500d, history_for: 3650d}\n"
          "  amqp:\n    urls: [\"127.0.0.1:"
        + std::to_string(private_broker::shared().port()) + "\"]\n    pulse: {" + queue
        + ": {queue: " + queue + ", queue_type: classic, exchanges: [" + exchanges + "]}}\n",
      "test");
    REQUIRE(root);
    REQUIRE_FALSE(node_.start(*root, [](const std::string&, bool) {}));
    // Before the queue is bound nobody keeps what is published.
    REQUIRE(await(60s, [&] {
      auto x = bridge();
      return !x.queues.empty() && x.queues[0].consuming;
    }));
  }
  ~pulse_node() {
    node_.stop();
  }

  void publish(const std::vector<publication>& messages) {
    REQUIRE(broker_client{private_broker::shared().port()}.publish(messages) == messages.size());
  }
  void say(const std::vector<pulse_message>& messages) {
    auto out = std::vector<publication>{};
    for (const auto& x : messages)
      out.push_back(to_publication(x, prefix));
    publish(out);
  }
  /// Waits until the queue is empty and all is acknowledged.
  void await_taken() {
    REQUIRE(await(longest_wait, [&] {
      auto x = bridge();
      return !x.queues.empty() && x.queues[0].consuming && x.queues[0].unsettled == 0
             && broker_client{private_broker::shared().port()}.ready(queue) == 0U
             && bridge().queues[0].unsettled == 0;
    }));
  }
  /// Waits until the tracker has read all signs that the bridge has put into the journal.
  void await_followed() {
    REQUIRE(await(longest_wait, [&] {
      auto read = uint64_t{0};
      for (const auto& [_, n] : ask<machine_counters>(tracker(), status_atom_v).messages)
        read += n;
      return read >= bridge().feeds.at(0).seen;
    }));
  }

  amqp_status bridge() {
    return ask<amqp_status>(node_.roles().find<amqp_bridge_actor>("amqp"), status_atom_v);
  }
  machine_page page(const std::string& after) {
    auto what = list_machines{};
    what.order = machine_order::id;
    what.recent = 20;
    what.limit = 100;
    what.after = after;
    return ask<machine_page>(tracker(), what);
  }
  std::vector<machine_view> views() {
    auto out = std::vector<machine_view>{};
    auto next = std::string{};
    do {
      auto part = page(next);
      out.insert(out.end(), part.machines.begin(), part.machines.end());
      next = part.next;
    } while (!next.empty());
    return out;
  }
  machine_view machine(const std::string& id) {
    return ask<machine_view>(tracker(), get_machine{id});
  }
  /// What `machine_expectation` speaks of; nothing of machines that are not known.
  std::map<std::string, json> told() {
    auto out = std::map<std::string, json>{};
    for (const auto& x : views())
      out[x.id] = told_of(x);
    return out;
  }

  std::string queue = "pulse" + random_token().substr(0, 8);
  std::string prefix = queue + '/';

private:
  machine_tracker_actor tracker() {
    return node_.roles().find<machine_tracker_actor>("machines");
  }
  template <class Reply, class Actor, class Query>
  Reply ask(const Actor& whom, const Query& what) {
    auto out = Reply{};
    if (whom)
      caf::scoped_actor {
        node_.actors()
        } -> request(whom, 60s, what)
          .receive([&](Reply& x) { out = std::move(x); },
                   [&](const caf::error& why) { FAIL(one_line(why)); });
    return out;
  }

  temp_folder folder_;
  node node_;
};

/// Publishes the messages of a script in an order of its own, every fifth again later.
class shuffle {
public:
  shuffle(pulse_node& to, uint64_t seed) : to_{to}, random_{seed} {}

  void add(publication x) {
    held_.push_back(std::move(x));
    if (held_.size() > held_back)
      send_one();
  }
  void finish() {
    while (!held_.empty())
      send_one();
    to_.publish(out_);
    out_.clear();
  }
  /// Publishes all that has been chosen so far, and half of what is held back.
  void send_half() {
    for (auto n = held_.size() / 2; n > 0; --n)
      send_one();
    to_.publish(out_);
    out_.clear();
  }

private:
  void send_one() {
    std::swap(held_[random_() % held_.size()], held_.back());
    out_.push_back(held_.back());
    if (random_() % 5 != 0)
      held_.pop_back();
    if (out_.size() == slice) {
      to_.publish(out_);
      out_.clear();
    }
  }
  pulse_node& to_;
  std::mt19937_64 random_;
  std::vector<publication> held_;
  std::vector<publication> out_;
};

/// What a node answers in the end.
struct final_state {
  std::map<std::string, json> told;
  std::string views; ///< All of them, as text.
};

/// Calls `take` with the messages of one script, which are the same each time.
template <class F>
void each_message(size_t count, F take) {
  auto script = pulse_script{7, count > held_back ? size_t{1'000} : size_t{50}};
  for (auto done = size_t{0}; done < count; done += std::min(slice, count - done))
    for (auto& x : script.take(std::min(slice, count - done)))
      take(std::move(x));
}

/// Returns the answers after the messages in the order of a seed; with a crash of the broker
/// in their middle, while the node takes them.
final_state play(uint64_t seed, size_t count, bool crash,
                 const std::map<std::string, json>& expected) {
  auto it = pulse_node{};
  auto order = shuffle{it, seed};
  auto n = size_t{0};
  each_message(count, [&](const pulse_message& x) {
    order.add(to_publication(x, it.prefix));
    if (++n == count / 2 && crash) {
      order.send_half();
      private_broker::shared().crash();
      private_broker::shared().start();
    }
  });
  order.finish();
  it.await_taken();
  auto out = final_state{};
  if (!crash) // Otherwise deliveries may have ended with their connection, and came again.
    it.await_followed();
  await(120s, [&] { return (out.told = it.told()) == expected; });
  for (const auto& x : it.views()) {
    out.views += json_text(write_json(x)) + '\n';
    out.views += json_text(write_json(it.machine(x.id))) + '\n';
  }
  return out;
}

const auto* const host = "mdc1:t-linux64-ms-100";
const auto* const begin = "2018-11-08T08:47:50.812Z";
const auto* const end = "2018-11-08T09:01:12.003Z";
const auto* const claimed_until = "2018-11-08T09:07:50.000Z";
const auto* const expired = "2018-11-08T09:07:58.400Z";

/// A message about run 0 of a task, as in spec/machines.md 2.5.
pulse_message about(const std::string& kind, const std::string& state,
                    const std::string& reason = {}, const std::string& resolved = {},
                    const std::string& started = begin) {
  auto run = json{{"runId", 0},
                  {"state", state},
                  {"reasonCreated", "scheduled"},
                  {"workerGroup", "mdc1"},
                  {"workerId", "t-linux64-ms-100"},
                  {"takenUntil", claimed_until},
                  {"scheduled", "2018-11-08T08:40:01.120Z"},
                  {"started", started}};
  if (!reason.empty())
    run.update({{"reasonResolved", reason}, {"resolved", resolved}});
  auto status = json{{"taskId", "oYPA3sqfSUqWjmoifiVNXw"},
                     {"provisionerId", "releng-hardware"},
                     {"workerType", "gecko-t-linux-talos"},
                     {"schedulerId", "gecko-level-3"},
                     {"taskGroupId", "tb3abxFZSaK2deLv_ZH3CA"},
                     {"deadline", "2018-11-09T08:00:00.000Z"},
                     {"expires", "2019-11-08T08:00:00.000Z"},
                     {"retriesLeft", 5},
                     {"state", state},
                     {"runs", {run}}};
  return {"exchange/taskcluster-queue/v1/task-" + kind,
          "primary.oYPA3sqfSUqWjmoifiVNXw.0.mdc1.t-linux64-ms-100.releng-hardware."
          "gecko-t-linux-talos.gecko-level-3.tb3abxFZSaK2deLv_ZH3CA._",
          {{"version", 1},
           {"status", status},
           {"runId", 0},
           {"workerGroup", "mdc1"},
           {"workerId", "t-linux64-ms-100"}}};
}

/// Returns whether, all messages being taken, it is so of the machine of `about`.
bool ends_with(pulse_node& at, const std::string& key, const json& value) {
  at.await_taken();
  at.await_followed();
  auto all = at.told();
  return all.count(host) == 1 && all[host][key] == value;
}

std::string same_time(const char* text) {
  return to_iso8601(*parse_iso8601(text));
}

} // namespace

TEST_CASE("machines are the same in whatever order messages come, repeated, over a crash",
          "[integration][machines][amqp]") {
  auto count = size_t{fault_count(2'000, 1'000'000)};
  auto model = machine_expectation{};
  each_message(count, [&](const pulse_message& x) { model.tell(x); });
  auto expected = model.all();
  auto first = std::string{};
  for (auto seed : {1U, 2U, 3U}) {
    auto got = play(seed, count, seed == 2, expected);
    INFO("order " << seed);
    REQUIRE(got.told.size() == expected.size());
    for (const auto& [id, what] : expected) {
      INFO(id << '\n' << what.dump() << '\n' << got.told[id].dump());
      REQUIRE(got.told[id] == what);
    }
    if (first.empty())
      first = got.views;
    CHECK(got.views == first);
  }
}

TEST_CASE("the four kinds of messages tell when a machine lived", "[integration][machines][amqp]") {
  auto at = pulse_node{};
  at.say({about("running", "running")});
  CHECK(ends_with(at, "lastseen", same_time(begin)));
  const std::tuple<const char*, const char*, const char*> ends[] = {
    {"completed", "completed", "2018-11-08T09:01:12.003Z"},
    {"failed", "failed", "2018-11-08T09:02:12.003Z"},
    {"exception", "malformed-payload", "2018-11-08T09:03:12.003Z"}};
  for (auto [kind, reason, when] : ends) {
    at.say({about(kind, kind, reason, when)});
    INFO(kind);
    CHECK(ends_with(at, "lastseen", same_time(when)));
  }
}

TEST_CASE("a run that ends before it begins leaves an idle machine",
          "[integration][machines][amqp]") {
  auto at = pulse_node{};
  at.say({about("completed", "completed", "completed", end)});
  CHECK(ends_with(at, "counts", {{"completed", 1}}));
  at.say({about("running", "running"), about("completed", "completed", "completed", end)});
  CHECK(ends_with(at, "counts", {{"running", 1}, {"completed", 1}}));
  auto x = at.machine(host);
  CHECK(x.state == machine_state::idle);
  CHECK(x.lastseen == parse_iso8601(end));
}

TEST_CASE("an expired claim is the loss of a machine, counted once over a restart of the broker",
          "[integration][machines][amqp]") {
  auto at = pulse_node{};
  auto both = std::vector{about("running", "running"),
                          about("exception", "exception", "claim-expired", expired)};
  at.say(both);
  CHECK(ends_with(at, "state", "lost"));
  private_broker::shared().crash();
  private_broker::shared().start();
  at.say(both);
  at.say({about("running", "running")});
  CHECK(ends_with(at, "counts", {{"running", 1}, {"exception.claim-expired", 1}}));
  auto x = at.machine(host);
  CHECK(x.state == machine_state::lost);
  CHECK(x.lastseen == parse_iso8601(begin));
  CHECK(x.lastmessage == parse_iso8601(expired));
  CHECK(x.counts.exception == std::map<std::string, uint64_t>{{"claim-expired", 1}});
}

TEST_CASE("bodies that are not as their schema says are acknowledged and counted",
          "[integration][machines][amqp]") {
  auto at = pulse_node{};
  auto good = to_publication(about("running", "running"), at.prefix);
  auto with = [&](const char* place, const json& value) {
    auto body = json::parse(good.body);
    body[json::json_pointer{place}] = value;
    return body.dump();
  };
  auto broken_text = good.body;
  broken_text.replace(broken_text.find("gecko-level-3"), 2, "\xff\xfe");
  auto bodies = std::vector<std::string>{
    "",
    "null",
    "[]",
    good.body.substr(0, good.body.size() / 2),
    broken_text,
    std::string(200'000, '['),
    good.body + std::string((1U << 20) + 1, ' '), // Well-formed, but over `max_body`.
    with("/status", "text"),
    with("/status/runs", "text"),
    with("/status/runs/0", "text"),
    with("/status/taskId", json::object()),
    with("/runId", -1),
    with("/workerGroup", 7),
  };
  auto all = std::vector<publication>{};
  for (const auto& x : bodies) {
    all.push_back(good);
    all.back().body = x;
  }
  at.publish(all);
  REQUIRE(await(60s, [&] { return at.bridge().queues[0].delivered == all.size(); }));
  at.await_taken();
  CHECK(at.bridge().feeds.at(0).parse_errors == all.size());
  CHECK(at.bridge().queues[0].resubscribed == 0);
  at.publish({good});
  CHECK(ends_with(at, "lastseen", same_time(begin)));
  CHECK(at.machine(host).counts.running == 1);
}
