#pragma once

#include "actors/artifacts/closed_artifacts.hpp"
#include "actors/artifacts/open_artifacts.hpp"
#include "actors/artifacts/retention.hpp"
#include "actors/work_thread.hpp"
#include "config/section.hpp"
#include "messages/protocols.hpp"

#include <caf/actor_clock.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/typed_response_promise.hpp>

#include <chrono>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace troupe {

/// What the artifact store keeps, and for how long.
struct artifact_store_options {
  std::string folder; ///< Made if it does not exist.
  spool_limits limits;
  retention_limits keep;
  size_t open_files = 64;                         ///< Descriptors of open artifacts.
  size_t waiters = 1024;                          ///< Readers that wait for more bytes.
  std::chrono::milliseconds sweep_every{600'000}; ///< Between two rounds of retention.
  /// What was written to before this actor began, and not since, is closed after it: its writer may
  /// have died with an earlier process, or be a live one in a stage without output.
  std::chrono::milliseconds leftover_silence{std::chrono::hours{3}};
  std::chrono::milliseconds longest_silence{std::chrono::hours{24}}; ///< The same for all others.
  std::function<bool()> accepting; ///< The disk guard; empty = always. Threads: the store's.
};

/// Reads `log_head`, `log_tail`, `artifact_limit`, `keep_for`, `keep_size`.
void read_artifact_options(section& in, artifact_store_options& options);

/// State of the artifact store.
struct artifact_store_state {
  static inline const char* name = "artifact_store";
  using clock = caf::actor_clock::clock_type;

  /// A reader at the end of an open artifact.
  struct waiter {
    read_artifact what;
    caf::typed_response_promise<artifact_chunk> promise;
    clock::time_point until;
  };

  /// What the packing thread reports.
  struct packed {
    artifact_key key;
    caf::expected<artifact_ref> result{artifact_ref{}};
  };
  struct report_box {
    std::mutex mutex;
    std::vector<packed> packed_files;
    std::vector<artifact_key> silent;
  };

  artifact_store_options options;
  std::shared_ptr<const artifact_folder> folder;
  std::optional<open_artifacts> open;
  std::optional<closed_artifacts> closed;
  std::map<std::string, std::vector<caf::typed_response_promise<artifact_ref>>> closing;
  std::map<std::string, std::list<waiter>> waiting;
  size_t waiters = 0;
  bool ticking = false;
  std::chrono::steady_clock::time_point began = std::chrono::steady_clock::now();
  std::shared_ptr<report_box> reports = std::make_shared<report_box>();
  std::unique_ptr<work_thread> packing; ///< Compresses and removes; last member, first to end.
};

/// The store's interface with the messages that it sends itself.
using artifact_store_self =
  artifact_store_actor::extend<caf::reacts_to<caf::tick_atom>,   // waits that are over
                               caf::reacts_to<caf::update_atom>, // the packing thread has news
                               caf::reacts_to<caf::sys_atom>>;   // retention

/// Keeps logs and artifacts in a folder. Spawn it detached: it reads and writes
/// files; compressing, syncing and removing are done by a thread of its own.
/// Ends at once with `ec::unavailable` if the folder cannot be used.
artifact_store_self::behavior_type
artifact_store(artifact_store_self::stateful_pointer<artifact_store_state> self,
               artifact_store_options options);

} // namespace troupe
