#pragma once

#include "messages/ids.hpp"

#include <caf/timestamp.hpp>

#include <cstdint>
#include <memory>
#include <string>

namespace troupe {

class lane;
struct known_runner;

/// The right of a runner to execute one run.
struct held_lease {
  uint32_t run_id = 0;
  known_runner* runner = nullptr;
  std::string boot;
  caf::timestamp started_at{};
  caf::timespan lease_until{};
  caf::timespan run_until{};
  caf::timespan cancel_until{}; ///< 0 = nobody wants it to end.
  uint32_t published = 0;       ///< Attempt that its outside processor was told.
};

/// What a job keeps between runs that infrastructure ended.
struct retry_wait {
  caf::timestamp retry_at{};
  caf::timespan retry_tick{};
  caf::timespan avoid_until{};
  std::string avoid; ///< Runner that should not get the next run; empty = none.
};

/// An unfinished job in memory. There may be a million, so it holds only what
/// deciding about it needs; the rest is in the history.
struct job_slot {
  enum class place : uint8_t { none, fresh, returned, backoff, running };

  job_id id;
  lane* way = nullptr;          ///< Where it queues; also while it runs.
  job_slot* previous = nullptr; ///< In the lane, while `fresh`.
  job_slot* next = nullptr;
  caf::timespan due{};   ///< End of the queue deadline, as a tick.
  caf::timespan alarm{}; ///< Its entry in the timers; 0 = none.
  caf::timespan queue_deadline{};
  caf::timespan run_deadline{};
  caf::timespan retry_base{}; ///< Backoff before the second run; 0 = the ledger's.
  caf::timestamp queued_at{}; ///< Since when it waits for its next run.
  std::string spec;
  std::string kind;
  std::string subject;
  std::unique_ptr<held_lease> lease; ///< While running.
  std::unique_ptr<retry_wait> retry; ///< After a run that did not finish the job.
  uint32_t next_run = 0;
  uint16_t retries = 0; ///< Allowed ones.
  uint16_t used = 0;    ///< Counted ones.
  uint8_t priority = 5;
  place where = place::none;
  bool retry_on_timeout = false;
  bool free_used = false; ///< The one retry that does not count is gone.
  bool cancel_requested = false;
};

} // namespace troupe
