#pragma once

#include "actors/directory.hpp"
#include "messages/protocols.hpp"

#include <caf/actor_system.hpp>

#include <chrono>
#include <stop_token>

namespace troupe {

/// Where a run's bytes go. Both functions block until the bytes are taken.
///
/// Threads: any.
class artifact_writer {
public:
  virtual ~artifact_writer() = default;

  /// Returns the next offset. Errors: as the artifact store's; `ec::canceled`.
  virtual caf::expected<uint64_t> write(const write_artifact& what, std::stop_token stop) = 0;
  /// Returns the durable artifact. Errors: as above.
  virtual caf::expected<artifact_ref> close(const close_artifact& what, std::stop_token stop) = 0;
};

/// How patient a writer is with a store that refuses for now (its disk is full). One
/// that is absent or does not answer is waited for until the run is stopped: what has
/// been worked out is not given away because the state node is down for long.
struct store_writer_options {
  std::chrono::milliseconds request_timeout{1'500}; ///< Bounds how long a stop is not noticed.
  std::chrono::milliseconds patience{60'000};       ///< Of one call, with a store that refuses.
  std::chrono::milliseconds last_words{
    5'000};                             ///< Of one call of a run that was stopped, with any store.
  std::chrono::milliseconds pause{250}; ///< Between two attempts.
};

/// Writes to the actor that plays the role "artifacts". What may succeed later is
/// tried again; writes and closes can be repeated.
class store_writer : public artifact_writer {
public:
  store_writer(caf::actor_system& system, const directory* roles,
               store_writer_options options = {});

  caf::expected<uint64_t> write(const write_artifact& what, std::stop_token stop) override;
  caf::expected<artifact_ref> close(const close_artifact& what, std::stop_token stop) override;

private:
  template <class Reply, class Request>
  caf::expected<Reply> insist(const Request& what, const std::stop_token& stop);

  caf::actor_system& system_;
  const directory* roles_;
  store_writer_options options_;
};

} // namespace troupe
