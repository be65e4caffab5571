#include "bridges/http/routes/artifact_pump.hpp"

namespace troupe {

void artifact_pump::next() {
  if (!first_.empty())
    return send(std::exchange(first_, {}));
  ask<artifact_chunk>(
    shared_->roles.artifacts, caf::timespan{0}, read_artifact{key_, from_, chunk_bytes, {}},
    [this](artifact_chunk& chunk) {
      from_ = chunk.next;
      if (chunk.complete || chunk.bytes.empty())
        finish(std::move(chunk.bytes));
      else
        send(std::move(chunk.bytes));
    },
    [this](caf::error&) { finish({}); });
}

} // namespace troupe
