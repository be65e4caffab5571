#pragma once

#include <caf/node_id.hpp>
#include <caf/timestamp.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace troupe {

/// Returns how long this host slept since it was started: CLOCK_BOOTTIME less
/// CLOCK_MONOTONIC. Never falls; 0 where there is no such clock. Threads: any.
caf::timespan time_suspended();

/// What the job ledger allows and how long it waits.
struct ledger_options {
  caf::timespan lease{std::chrono::seconds{60}}; ///< A run not renewed this long is lost.
  caf::timespan longest_pause{
    std::chrono::seconds{2}}; ///< A timer later than this: the process was stopped or starved.
  caf::timespan run_grace{
    std::chrono::seconds{30}}; ///< Beyond `run_deadline`, for the runner to report.
  caf::timespan cancel_grace{
    std::chrono::seconds{10}};                         ///< For the runner to report a canceled run.
  caf::timespan avoid_grace{std::chrono::seconds{30}}; ///< How long another runner is preferred.
  caf::timespan runner_silence{
    std::chrono::seconds{30}}; ///< A runner not heard this long is not live.
  std::vector<caf::timespan> backoff{
    std::chrono::seconds{10}, std::chrono::seconds{60},
    std::chrono::seconds{300}}; ///< Before the next run; the last one repeats.
  caf::timespan longest_wait{std::chrono::seconds{30}}; ///< Of a claim for its first run.
  caf::timespan append_timeout{
    std::chrono::seconds{5}}; ///< For the journal; then the ledger starts anew.
  caf::timespan read_timeout{std::chrono::seconds{5}}; ///< For the history.
  uint64_t max_jobs = 2'000'000;                       ///< Unfinished ones.
  uint64_t max_lanes = 4096;   ///< Pairs of queue and capability set in use.
  uint64_t max_runners = 4096; ///< Remembered ones.
  uint64_t max_waiting_claims = 4096;
  uint64_t max_undecided = 65'536; ///< Submissions whose append is not answered yet.
  uint64_t finished_kept = 65'536; ///< Finished runs whose repeated report is still accepted.
  uint64_t spec_size = 1 << 20;    ///< Bytes of one job's spec.
  uint64_t reply_size = 4 << 20;   ///< Bytes of specs in one claim reply; one run always fits.
  std::function<caf::timespan()> suspended = time_suspended; ///< Other clocks are for tests.
  /// Returns the name of the node that a sender is on; nothing if it has gone. None:
  /// all runners are on this node.
  std::function<std::optional<std::string>(const caf::node_id&)> node_of;
};

/// A reading of both clocks. Leases and delays are measured with `tick`, which no
/// clock step moves and which goes on while the host sleeps; `wall` only says when
/// an event happened. Source: spec/reliability_security.md R16.
struct moment {
  caf::timestamp wall{};
  caf::timespan tick{}; ///< Since any origin.
};

} // namespace troupe
