#pragma once

#include "actors/artifacts/artifact_folder.hpp"
#include "actors/artifacts/spool.hpp"

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace troupe {

/// One artifact that is being written.
struct open_artifact {
  artifact_key key;
  spool file;
  bool closing = false; ///< Being packed: takes nothing more.
  std::chrono::steady_clock::time_point last_write{};
  uint64_t last_use = 0;
};

/// The artifacts that are being written, found in memory or on disk, with a
/// bounded number of descriptors (least recently used ones are given back).
class open_artifacts {
public:
  open_artifacts(std::shared_ptr<const artifact_folder> folder, spool_limits limits, size_t files);

  /// Returns the open artifact with its file attached, null if there is none. Errors:
  /// `ec::corrupt`, `ec::unavailable`, `ec::invalid_argument` (name).
  caf::expected<open_artifact*> find(const artifact_key& key);

  /// Makes a new one. Errors: as `find`; `ec::disk_full`.
  caf::expected<open_artifact*> create(const artifact_key& key, bool is_log);

  /// Forgets one that has been packed.
  void forget(const artifact_key& key);

private:
  caf::error attach(open_artifact& what);
  void give_back_files();

  std::shared_ptr<const artifact_folder> folder_;
  spool_limits limits_;
  size_t files_;
  size_t attached_ = 0;
  uint64_t uses_ = 0;
  std::map<std::string, open_artifact> all_;
};

/// Returns one word for a key: "<job>/<run>/<name>".
std::string to_text(const artifact_key& key);

} // namespace troupe
