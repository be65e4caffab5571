#include "bench/machines_feed.hpp"

#include "bench/raw_amqp.hpp"
#include "config/section.hpp"
#include "messages/ids.hpp"
#include "messages/protocols.hpp"
#include "nodes/node.hpp"
#include "tests/support/broker_client.hpp"
#include "tests/support/child_process.hpp"
#include "tests/support/pulse_messages.hpp"
#include "tests/support/temp_folder.hpp"

#include <caf/scoped_actor.hpp>

#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <stdexcept>
#include <thread>

namespace troupe::bench {

namespace {

using namespace std::chrono_literals;
using steady = std::chrono::steady_clock;

constexpr auto longest_run = 10min;
constexpr auto machines = size_t{2'000};
constexpr auto prefix = "bench/";

/// A Redis server that keeps nothing, as a fast one is run.
class private_redis {
public:
  private_redis() {
    process_ = tests::child_process{{"/usr/bin/redis-server", "--port", std::to_string(port),
                                     "--bind", "127.0.0.1", "--save", "", "--dir", folder_.path()},
                                    {},
                                    folder_.path() + "/log"};
    auto answers = [] {
      return tests::run_process({"/usr/bin/redis-cli", "-p", std::to_string(port), "ping"})
               .exit_code
             == 0;
    };
    if (!tests::await(20s, answers))
      throw std::runtime_error{"Redis does not start (package redis-server)"};
  }

  static constexpr auto port = 26'379;

private:
  tests::temp_folder folder_;
  tests::child_process process_{{"/bin/true"}, {}, "/dev/null"};
};

/// The same messages for everybody, in a queue that is made anew for each.
class supply {
public:
  supply(uint16_t port, size_t count) : port_{port} {
    auto bytes = size_t{0};
    for (const auto& x : tests::pulse_script{1, machines}.take(count)) {
      messages_.push_back(to_publication(x, prefix));
      bytes += messages_.back().body.size();
      auto in = inbound_message{};
      in.exchange = x.exchange;
      in.body = messages_.back().body;
      auto news = read_pulse(pulse_feed{}, in);
      told_ += news && news->ignored.empty() ? 1 : 0;
    }
    std::fprintf(stderr, "%zu messages of %zu bytes\n", count, bytes / count);
    auto other = tests::broker_client{port};
    for (auto kind : pulse_task_kinds)
      other.declare_exchange(prefix + std::string{pulse_task_prefix} + std::string{kind});
    for (auto kind : pulse_worker_kinds)
      other.declare_exchange(prefix + std::string{pulse_worker_prefix} + std::string{kind});
  }

  /// Returns the name of a queue with the first `count` of them.
  std::string fill(size_t count) const {
    auto queue = "bench_" + random_token().substr(0, 8);
    auto other = tests::broker_client{port_};
    other.declare_queue(queue);
    for (auto kind : pulse_task_kinds)
      other.bind(queue, prefix + std::string{pulse_task_prefix} + std::string{kind}, "#");
    for (auto kind : pulse_worker_kinds)
      other.bind(queue, prefix + std::string{pulse_worker_prefix} + std::string{kind}, "#");
    auto end = messages_.begin() + static_cast<std::ptrdiff_t>(count);
    other.publish({messages_.begin(), end});
    return queue;
  }
  void remove(const std::string& queue) const {
    tests::broker_client{port_}.delete_queue(queue);
  }
  uint64_t told() const {
    return told_;
  }

private:
  uint16_t port_;
  std::vector<publication> messages_;
  uint64_t told_ = 0;
};

uint64_t signs_taken(caf::actor_system& sys, const directory& roles) {
  auto out = uint64_t{0};
  if (auto tracker = roles.find<machine_tracker_actor>("machines"))
    caf::scoped_actor {
      sys
      } -> request(tracker, 60s, status_atom_v)
        .receive(
          [&](const machine_counters& x) {
            for (const auto& [_, count] : x.messages)
              out += count;
          },
          [](const caf::error&) {});
  return out;
}

double measure_tracker(uint16_t port, const std::string& queue, uint64_t told, size_t messages) {
  auto folder = tests::temp_folder{};
  auto yaml = "node: {log: error, data: " + folder.path() + "}\nroles:\n  journal: {}\n"
              "  machines: {alerts: {enabled: false}}\n  amqp:\n    urls: [\"127.0.0.1:" + std::to_string(port)
              + "\"]\n    pulse: {bench: {queue: " + queue + ", queue_type: classic, exchanges: []}}\n";
  auto root = section::from_text(yaml, "bench");
  auto it = node{};
  auto start = steady::now();
  if (!root)
    throw std::runtime_error{one_line(root.error())};
  if (auto why = it.start(*root, [](const std::string& x, bool) { std::cerr << x << '\n'; }))
    throw std::runtime_error{one_line(why)};
  while (signs_taken(it.actors(), it.roles()) < told) {
    if (steady::now() - start > longest_run)
      throw std::runtime_error{"the tracker does not take the messages"};
    std::this_thread::sleep_for(5ms);
  }
  auto seconds = std::chrono::duration<double>(steady::now() - start).count();
  it.stop();
  return static_cast<double>(messages) / seconds;
}

double measure_python(const char* mode, uint16_t port, const std::string& queue, size_t messages) {
  auto store = private_redis{};
  auto done = tests::run_process({"/usr/bin/python3", TROUPE_SOURCE_DIR "/bench/machines_peer.py",
                                  mode, std::to_string(port), std::to_string(private_redis::port),
                                  queue, std::to_string(messages)},
                                 {}, std::chrono::seconds{longest_run});
  if (done.exit_code != 0)
    throw std::runtime_error{"the peer fails (packages python3-pika, python3-redis): "
                             + done.output};
  return std::atof(done.output.c_str());
}

} // namespace

feed_figures measure_feed(const tests::private_broker& broker, unsigned runs, size_t messages) {
  auto all = supply{broker.port(), messages};
  auto out = feed_figures{};
  auto few = messages / 5; // One by one it would take a minute a run.
  auto with = [&](size_t count, auto measure) {
    auto queue = all.fill(count);
    auto rate = measure(queue);
    all.remove(queue);
    return rate;
  };
  auto port = broker.port();
  for (auto i = 0U; i < runs; ++i) {
    out.bare.values.push_back(
      with(messages, [&](const auto& q) { return consume_bare(port, q, static_cast<int>(messages)); }));
    out.ours.push_back(
      with(messages, [&](const auto& q) { return measure_tracker(port, q, all.told(), messages); }));
    out.batch.values.push_back(
      with(messages, [&](const auto& q) { return measure_python("batch", port, q, messages); }));
    out.each.values.push_back(
      with(few, [&](const auto& q) { return measure_python("each", port, q, few); }));
    std::fprintf(stderr, "%.0f messages/s, batching %.0f, each %.0f, bare %.0f\n", out.ours.back(),
                 out.batch.values.back(), out.each.values.back(), out.bare.values.back());
  }
  return out;
}

} // namespace troupe::bench
