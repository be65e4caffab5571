#pragma once

#include "actors/journal/embedded_backend.hpp"
#include "actors/journal/journal.hpp"
#include "actors/journal/memory_backend.hpp"
#include "tests/support/deterministic_system.hpp"
#include "tests/support/temp_folder.hpp"

#include <stdexcept>

namespace troupe::tests {

/// Where the events are; `reopen` is what a restart of the node does.
struct memory_world {
  std::shared_ptr<journal_backend> backend = std::make_shared<memory_backend>();
  void reopen() {}
};

struct embedded_world {
  embedded_world() {
    reopen();
  }
  void reopen() {
    backend.reset();
    auto db = database::open(folder.path());
    if (!db)
      throw std::runtime_error{one_line(db.error())};
    auto opened = embedded_backend::open(*db);
    if (!opened)
      throw std::runtime_error{one_line(opened.error())};
    backend = *opened;
  }
  temp_folder folder;
  std::shared_ptr<journal_backend> backend;
};

/// A journal in simulated time over a backend.
template <class World>
struct journal_world : deterministic_system {
  journal_world() {
    start();
  }
  ~journal_world() {
    stop();
  }
  journal_world(const journal_world&) = delete;
  journal_world& operator=(const journal_world&) = delete;

  void start() {
    options.readers = 0;
    it = sys.spawn(troupe::journal, world.backend, options);
    sched.run();
  }
  void stop() {
    if (!it)
      return;
    caf::anon_send_exit(it, caf::exit_reason::user_shutdown);
    sched.run();
    it = nullptr;
  }
  void restart() {
    stop();
    world.reopen();
    start();
  }

  static append_group group(std::string id, std::string payload, uint64_t digest = 1) {
    return {std::move(id), digest, "first", {{"job.queued", caf::timestamp{}, std::move(payload)}}};
  }
  caf::expected<append_results> append(append_events what) {
    return ask<append_results>(it, std::move(what));
  }
  append_outcome append_one(append_group x) {
    auto results = append({{}, 0, {std::move(x)}});
    if (!results || results->results.size() != 1)
      throw std::runtime_error{"an append was refused"};
    return results->results.front().outcome;
  }
  caf::expected<event_batch> read(uint64_t from, uint32_t max = 1024, uint32_t bytes = 1 << 20) {
    return ask<event_batch>(it, read_events{from, max, bytes, caf::timespan{0}});
  }
  /// Returns the payloads from a sequence on.
  std::vector<std::string> payloads(uint64_t from = 1) {
    auto out = std::vector<std::string>{};
    if (auto batch = read(from))
      for (auto& x : batch->events)
        out.push_back(std::move(x.what.payload));
    return out;
  }
  journal_status status() {
    auto x = ask<journal_status>(it, status_atom_v);
    return x ? *x : journal_status{};
  }

  World world;
  journal_options options;
  journal_actor it;
};

} // namespace troupe::tests
