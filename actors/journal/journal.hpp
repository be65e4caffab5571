#pragma once

#include "actors/journal/group_commit.hpp"
#include "actors/journal/journal_backend.hpp"
#include "actors/journal/journal_reader.hpp"
#include "messages/protocols.hpp"

#include <atomic>
#include <chrono>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace troupe {

struct journal_options {
  append_limits limits;
  uint32_t readers = 2;          ///< Detached readers; 0 = the journal reads by itself (tests).
  uint32_t waiting_reads = 1024; ///< Reads that wait for events; more are `saturated`.
  uint32_t reads_at_once = 256;  ///< Reads handed to the readers; more are `saturated`.
  std::chrono::seconds keep_for{30 * 86'400}; ///< Older events are forgotten ...
  uint64_t keep_bytes =
    8ULL << 30; ///< ... and so are the oldest beyond this size, up to the lowest cursor.
  uint64_t consumer_lag =
    16ULL << 30; ///< A consumer with more bytes before it is evicted; so is one that holds
                 ///< back retention while the disk guard refuses new work.
  std::set<std::string> critical{
    "history"}; ///< Never evicted: without them nothing is known. The disk guard refuses instead.
  std::chrono::seconds retention_interval{60};
};

/// A read that waits for its first event.
struct waiting_read {
  read_events query;
  std::chrono::steady_clock::time_point until;
  caf::typed_response_promise<event_batch> promise;
};

/// The journal with what it says to itself: commit now, look at the clock.
using journal_self =
  journal_actor::extend<caf::reacts_to<caf::flush_atom>, caf::reacts_to<caf::tick_atom>>;

/// State of the journal.
struct journal_state {
  static inline const char* name = "journal";

  std::shared_ptr<journal_backend> backend;
  journal_options options;
  group_commit pending;
  std::vector<caf::typed_response_promise<append_results>> appenders; ///< One per pending append.
  std::vector<waiting_read> waiting;
  std::map<std::string, uint64_t> cursors; ///< `evicted_cursor` = evicted.
  std::vector<journal_reader_actor> readers;
  std::shared_ptr<std::atomic<uint32_t>> reads = std::make_shared<std::atomic<uint32_t>>(0);
  size_t next_reader = 0;
  uint64_t repeated = 0; ///< Groups answered as repeated.
  bool flush_sent = false;
  std::chrono::steady_clock::time_point share_until{}; ///< Then what is pending is committed.
  size_t last_appends = 0;                             ///< In the last commit.
  std::chrono::steady_clock::time_point
    gather_until{}; ///< No commit waits longer for more to share it.
  std::chrono::steady_clock::time_point next_tick = std::chrono::steady_clock::time_point::max();
  std::chrono::steady_clock::time_point next_retention{};
};

/// The node's one committer. Appends that come while an fsync is under way share
/// the next one. After a failed commit it fails what is pending and ends with
/// that error; nobody may go on with the same files.
journal_self::behavior_type journal(journal_self::stateful_pointer<journal_state> self,
                                    std::shared_ptr<journal_backend> backend,
                                    journal_options options);

/// Spawns the journal on its own thread. In deterministic tests use
/// `sys.spawn(journal, backend, options)` with `options.readers = 0`.
journal_actor spawn_journal(caf::actor_system& sys, std::shared_ptr<journal_backend> backend,
                            journal_options options = {});

} // namespace troupe
