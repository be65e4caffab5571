#pragma once

#include "actors/machines/machine_table.hpp"
#include "messages/time.hpp"

#include <catch2/catch.hpp>

#include <memory>
#include <random>
#include <string>
#include <vector>

namespace troupe::tests {

using namespace std::chrono_literals;

/// When the examples of the specification happen: 2018-11-08T08:00:00Z.
inline constexpr auto that_morning = caf::timestamp{1'541'664'000s};

/// Returns a sign of "mdc1:t-linux64-ms-100" about run 0 of a task, begun 1200 s before its claim
/// ends.
inline machine_seen sign(machine_sign kind, const std::string& task, caf::timestamp begin,
                         caf::timespan took = 0s, const std::string& reason = {}) {
  auto out = machine_seen{};
  out.machine = "mdc1:t-linux64-ms-100";
  out.kind = kind;
  out.task = task;
  out.provisioner = "releng-hardware";
  out.worker_type = "gecko-t-linux-talos";
  out.state = name_of(kind);
  out.started = begin;
  out.at = begin;
  out.taken_until = begin + 1200s;
  out.deadline = begin + 24h;
  if (kind != machine_sign::running) {
    out.resolved = out.at = begin + took;
    out.reason = reason.empty() ? out.state : reason;
  }
  return out;
}

/// A table and the journal that tells it.
struct machine_world {
  explicit machine_world(machine_limits what = {}) : limits{std::move(what)} {
    REQUIRE_FALSE(table->open());
  }

  stored_event next(event what) {
    return {++sequence, 0, arrived, std::move(what)};
  }
  template <class T>
  void tell(const T& x) {
    auto batch = event_batch{{next(make_event(x, x.at))}, sequence + 1, true};
    REQUIRE_FALSE(table->apply(batch));
  }
  machine_view view(caf::timestamp at, const std::string& id = "mdc1:t-linux64-ms-100") const {
    auto out = table->find(id, at);
    REQUIRE(out);
    return *out;
  }
  /// Reads all again, as after a restart.
  void restart() {
    table = std::make_unique<machine_table>(disk, limits);
    REQUIRE_FALSE(table->open());
  }
  /// All that is stored.
  std::string stored() const {
    auto out = std::string{};
    REQUIRE_FALSE(disk->scan({}, [&](std::string_view key, std::string_view value) {
      out += encode(std::string{key});
      out += encode(std::string{value});
      return true;
    }));
    return out;
  }

  machine_limits limits;
  std::shared_ptr<projection_table> disk = std::make_shared<memory_table>();
  std::unique_ptr<machine_table> table = std::make_unique<machine_table>(disk, limits);
  uint64_t sequence = 0;
  caf::timestamp arrived = that_morning + 24h * 400;
};

/// Returns `runs` runs of several machines with all kinds of ends, as signs in no order.
inline std::vector<machine_seen> random_signs(std::minstd_rand& random, size_t signs,
                                              uint32_t machines) {
  auto pick = [&](uint32_t below) { return static_cast<uint32_t>(random() % below); };
  constexpr auto reasons = std::array<const char*, 9>{
    "claim-expired", "worker-shutdown",      "malformed-payload", "internal-error", "canceled",
    "superseded",    "resource-unavailable", "deadline-exceeded", "of-tomorrow"};
  auto out = std::vector<machine_seen>{};
  while (out.size() < signs) {
    auto begin = that_morning + std::chrono::seconds{pick(60 * 86'400)}; // longer than the history
    if (pick(50) == 0)
      begin = that_morning; // some at once
    auto host = "mdc" + std::to_string(1 + pick(2)) + ":host-" + std::to_string(pick(machines));
    auto task = "task-" + std::to_string(pick(1'000'000));
    auto took = std::chrono::seconds{pick(5000)};
    auto add = [&](machine_seen x) {
      x.machine = host;
      x.run = pick(3) == 0 ? 1 : 0;
      x.worker_type += std::to_string(pick(12));
      out.push_back(x);
      if (pick(5) == 0)
        out.push_back(x); // delivered again
    };
    switch (pick(8)) {
      case 0: {
        auto x = sign(machine_sign::worker_running, {}, begin);
        x.kind = static_cast<machine_sign>(5 + pick(5));
        add(x);
        break;
      }
      case 1: {
        auto x = sign(machine_sign::imported, task, begin);
        x.state = pick(2) == 0 ? "completed_completed" : "";
        add(x);
        break;
      }
      default: {
        add(sign(machine_sign::running, task, begin));
        auto end = pick(4);
        if (end == 0)
          add(sign(machine_sign::completed, task, begin, took));
        else if (end == 1)
          add(sign(machine_sign::failed, task, begin, took));
        else if (end == 2)
          add(sign(machine_sign::exception, task, begin, took, reasons[pick(reasons.size())]));
      }
    }
  }
  out.resize(signs);
  return out;
}

} // namespace troupe::tests
