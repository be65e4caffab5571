#include "bench/machines_fill.hpp"

#include "actors/machines/machine_table.hpp"
#include "messages/protocols.hpp"
#include "nodes/node.hpp"

#include <caf/scoped_actor.hpp>

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <iostream>
#include <stdexcept>
#include <thread>

namespace troupe::bench {

namespace {

using namespace std::chrono_literals;

constexpr auto begin_of_time = caf::timestamp{1'541'666'870s};
constexpr auto batch_size = size_t{4096};

void must(const caf::error& why) {
  if (why)
    throw std::runtime_error{one_line(why)};
}

/// What is said of the n-th machine for the `round`-th time.
event sign(size_t n, size_t round) {
  auto what = machine_seen{};
  what.machine = bench_machine(n);
  what.kind = machine_sign::completed;
  what.started = begin_of_time + std::chrono::seconds{600 * round} + std::chrono::milliseconds{n};
  what.resolved = what.started + 5min;
  what.taken_until = what.started + 20min;
  what.deadline = what.started + 24h;
  what.at = what.resolved;
  auto task = std::to_string(n * 100 + round);
  what.task = "oYPA3sqfSUqW" + std::string(10 - std::min<size_t>(task.size(), 10), '-') + task;
  what.provisioner = "releng-hardware";
  what.worker_type = n % 3 == 0 ? "gecko-t-linux-talos" : "gecko-t-osx-1010";
  what.state = "completed";
  what.reason = "completed";
  what.source = "bench";
  return {machine_seen::topic, what.at, pack(what)};
}

uint64_t applied(caf::actor_system& sys, const directory& roles) {
  auto out = uint64_t{0};
  if (auto tracker = roles.find<machine_tracker_actor>("machines"))
    caf::scoped_actor {
      sys
      } -> request(tracker, 60s, status_atom_v)
        .receive([&](const machine_counters& x) { out = x.sequence; }, [](const caf::error&) {});
  return out;
}

} // namespace

std::string bench_machine(size_t n) {
  return (n % 2 == 0 ? "mdc1:t-linux64-ms-" : "mdc2:t-linux64-ms-") + std::to_string(n);
}

void fill_journal(const std::string& data, size_t machines, size_t signs) {
  auto root = section::from_text("node: {log: error, data: " + data
                                   + "}\nroles: {journal: {}, machines: {alerts: {enabled: false}}}\n",
                                 "bench");
  auto it = node{};
  if (!root)
    throw std::runtime_error{one_line(root.error())};
  if (auto why = it.start(*root, [](const std::string& x, bool) { std::cerr << x << '\n'; }))
    throw std::runtime_error{one_line(why)};
  auto journal = it.roles().find<journal_actor>("journal");
  {
    auto self = caf::scoped_actor{it.actors()};
    for (auto i = size_t{0}; i < signs;) {
      auto what = append_events{};
      for (auto j = size_t{0}; j < 1'000 && i < signs; ++j, ++i)
        what.groups.emplace_back().events.push_back(sign(i % machines, i / machines));
      self->request(journal, 60s, what).receive([](const append_results&) {}, must);
    }
  }
  while (applied(it.actors(), it.roles()) < signs)
    std::this_thread::sleep_for(5ms);
  it.stop();
}

void fill_tracker(const std::string& data, size_t machines, size_t runs) {
  std::filesystem::create_directories(data);
  auto db = database::open(data + "/store", {});
  if (!db)
    must(db.error());
  auto table = machine_table{make_projection_table(*db, family::machines)};
  must(table.open());
  auto batch = event_batch{};
  auto flush = [&] {
    batch.next = batch.events.back().sequence + 1;
    must(table.apply(batch));
    batch.events.clear();
  };
  auto sequence = uint64_t{0};
  for (auto round = size_t{0}; round < runs; ++round) {
    for (auto n = size_t{0}; n < machines; ++n) {
      auto what = sign(n, round);
      batch.events.push_back({++sequence, 0, what.time, std::move(what)});
      if (batch.events.size() == batch_size)
        flush();
    }
    std::fprintf(stderr, "\r%zu of %zu runs each", round + 1, runs);
  }
  std::fprintf(stderr, "\n");
  if (!batch.events.empty())
    flush();
  // The node's own journal is empty: everything that it will tell is new.
  must(make_projection_table(*db, family::machines)->write({{"m", encode(machine_mark{})}}));
}

} // namespace troupe::bench
