#pragma once

#include "actors/directory.hpp"
#include "actors/report_queue.hpp"
#include "actors/run_executor.hpp"
#include "actors/stage_queue.hpp"
#include "config/section.hpp"
#include "messages/protocols.hpp"

#include <caf/stateful_actor.hpp>
#include <caf/typed_response_promise.hpp>

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

namespace troupe {

/// What a runner is and how it behaves.
struct test_runner_options {
  std::string name = "runner";   ///< Unique in the cluster.
  std::string driver = "docker"; ///< Type in the catalog.
  std::string boot;              ///< Of the node; each start of the runner adds to it.
  uint32_t slots = 2;            ///< Runs at a time.
  uint32_t prefetch = 1;         ///< Runs held per slot; more than 1 only for very short runs.
  std::vector<std::string> queues;
  std::vector<std::string> capabilities;
  std::chrono::milliseconds claim_wait{20'000};
  std::chrono::milliseconds request_timeout{5'000};
  std::chrono::milliseconds renew_every{0}; ///< 0 = a third of the shortest lease.
  std::chrono::milliseconds status_every{10'000};
  std::chrono::milliseconds check_every{10'000};
  std::chrono::milliseconds sweep_every{60'000};
  std::chrono::milliseconds drain_deadline{20'000}; ///< Running runs are handed back after it.
  std::chrono::milliseconds last_reports{2'000};    ///< After that, for the ledger to take results.
};

/// Reads `name`, `driver`, `slots`, `prefetch`, `queues`, `capabilities`, `drain_deadline`.
void read_test_runner_options(section& in, test_runner_options& options);

/// Makes what executes the runs; its `news` are called when there is something to take.
using make_run_executor = std::function<std::unique_ptr<run_executor>(std::function<void()> news)>;

/// State of a runner.
struct test_runner_state {
  static inline const char* name = "test_runner";

  /// A run that the ledger gave to this runner and that it has not yet taken back.
  struct held_run {
    caf::timespan lease{0};
    bool finished = false; ///< Its report waits for the ledger.
    bool unwanted = false; ///< Lost: its report is dropped.
  };

  test_runner_options options;
  const directory* roles = nullptr;
  std::unique_ptr<run_executor> executor;
  std::map<run_key, held_run> runs;
  uint32_t executing = 0;

  bool claiming = false;       ///< A claim is out, or its repetition is due.
  caf::actor_addr asked;       ///< The ledger that claims went to, monitored.
  uint64_t claim_turn = 0;     ///< Counts ledgers that went: claims sent to them are over.
  uint32_t claims_out = 0;     ///< Requests without an answer; 2 when a drain calls one back.
  uint32_t claim_size = 0;     ///< Runs that the present nonce asks for.
  bool claim_given_up = false; ///< A drain no longer waits for its answer.
  std::string nonce;           ///< Of that claim; empty = the next one is new.
  uint32_t claim_failures = 0;

  caf::actor_addr known_to; ///< The ledger that has heard of this runner.
  report_queue reports;
  uint32_t report_failures = 0;
  bool report_paused = false; ///< After a failure, until the next attempt.
  stage_queue stages;         ///< Progress to send.
  bool stages_sent = false;

  bool renew_scheduled = false;
  std::string broken = "not yet checked";
  bool checking = false;
  bool draining = false;
  bool drain_over = false;  ///< The drain is answered whatever is left.
  uint32_t handed_back = 0; ///< Runs that another runner has to do.
  std::vector<caf::typed_response_promise<uint32_t>> drained;
  std::minstd_rand chance{std::random_device{}()};
};

/// The runner's interface with the messages that it sends itself.
using test_runner_self =
  test_runner_actor::extend<caf::reacts_to<caf::update_atom>,             // the executor has news
                            caf::reacts_to<caf::tick_atom, std::string>>; // a timer, by name

/// Claims runs from the ledger and executes them. It holds at most slots * prefetch
/// runs; what it has finished it reports until the ledger has taken it. Its end
/// stops all runs, which may block for some seconds: spawn it detached.
/// Errors: none of its own; while the ledger or the driver is absent it waits.
test_runner_self::behavior_type
test_runner(test_runner_self::stateful_pointer<test_runner_state> self, const directory* roles,
            test_runner_options options, make_run_executor make);

} // namespace troupe
