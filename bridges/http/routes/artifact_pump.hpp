#pragma once

#include "bridges/http/routes/stream_pump.hpp"

namespace troupe {

/// Streams the bytes of one artifact from an offset to where they end now.
class artifact_pump final : public stream_pump {
public:
  artifact_pump(caf::actor_config& cfg, stream_writer out, std::shared_ptr<route_context> shared,
                artifact_key key, std::string first, uint64_t from)
    : stream_pump{cfg, std::move(out), std::move(shared)}, key_{std::move(key)},
      first_{std::move(first)}, from_{from} {}

  static constexpr auto chunk_bytes = uint32_t{256 << 10};

private:
  void next() override;
  std::string heartbeat() const override {
    return {};
  }

  const artifact_key key_;
  std::string first_; ///< Bytes before `from_`, read already.
  uint64_t from_;
};

} // namespace troupe
