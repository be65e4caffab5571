#include "actors/journal/journal_reader.hpp"

namespace troupe {

journal_reader_actor::behavior_type journal_reader(journal_reader_actor::pointer,
                                                   std::shared_ptr<journal_backend> backend,
                                                   std::shared_ptr<std::atomic<uint32_t>> reads) {
  return {
    [backend = std::move(backend),
     reads = std::move(reads)](const read_events& what) -> caf::result<event_batch> {
      auto batch = backend->read(what);
      --*reads;
      if (!batch)
        return std::move(batch.error());
      return std::move(*batch);
    },
  };
}

} // namespace troupe
