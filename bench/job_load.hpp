#pragma once

#include "messages/protocols.hpp"

#include <caf/actor_system.hpp>

#include <cstddef>
#include <cstdint>

namespace troupe::bench {

inline constexpr auto job_batch = size_t{64};

/// Returns a job for the `fake` driver whose spec has about so many bytes, at least 60.
submit_job hello_job(size_t spec_bytes = 0);

/// Submits `jobs` such jobs in batches, 16 of them outstanding; returns when all
/// are durable. Throws if one is refused.
void submit_all(caf::actor_system& sys, const job_ledger_actor& ledger, size_t jobs,
                size_t spec_bytes = 0);

/// Returns how many jobs are queued or running; all ones if the ledger does not answer.
uint64_t jobs_left(caf::actor_system& sys, const job_ledger_actor& ledger);

} // namespace troupe::bench
