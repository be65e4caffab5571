#pragma once

#include "actors/journal/journal_backend.hpp"
#include "messages/protocols.hpp"

#include <atomic>
#include <memory>

namespace troupe {

/// Answers reads beside the journal, so that they never delay an fsync.
using journal_reader_actor = caf::typed_actor<caf::replies_to<read_events>::with<event_batch>>;

/// Reads from `backend`; counts `reads` down for each answer, so that the
/// journal can bound how many are under way. Blocks: spawn it detached.
journal_reader_actor::behavior_type journal_reader(journal_reader_actor::pointer self,
                                                   std::shared_ptr<journal_backend> backend,
                                                   std::shared_ptr<std::atomic<uint32_t>> reads);

} // namespace troupe
