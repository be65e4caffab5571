#pragma once

#include "actors/journal/journal_backend.hpp"

#include <chrono>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace troupe {

/// What one append may carry, and what a journal remembers of ids.
struct append_limits {
  uint64_t id_bytes = 256;
  uint64_t answer_bytes = 1024;
  uint64_t topic_bytes = 128;
  uint64_t append_bytes = 16 << 20; ///< All payloads of one append together.
  uint64_t append_groups = 65'536;
  uint64_t batch_groups = 512;            ///< So many pending groups, or ...
  uint64_t batch_bytes = 1 << 20;         ///< ... so many bytes are committed at once.
  uint64_t ids_kept = 10'000'000;         ///< Only so many of the latest ids are remembered ...
  std::chrono::seconds id_window{86'400}; ///< ... and none longer than this.
};

/// Collects appends and decides what their commit stores and answers: fences
/// old epochs, finds repeated ids (in the journal and within the batch itself),
/// gives sequences. Pure but for the backend that it asks.
class group_commit {
public:
  group_commit() = default;
  group_commit(append_limits limits, std::map<std::string, uint64_t> epochs);

  /// Takes an append if it may enter. Errors: `ec::invalid_argument`,
  /// `ec::too_large`, `ec::conflict` (a later epoch of the owner is known).
  caf::error add(append_events& what);

  /// Tells whether enough is pending to commit without waiting for more.
  bool full() const;
  bool empty() const {
    return appends_.empty();
  }
  size_t appends() const {
    return appends_.size();
  }

  /// Commits all that is pending and forgets it; returns one answer per append,
  /// in order. Errors: those of `journal_backend::commit`, for all of them.
  caf::expected<std::vector<append_results>> commit(journal_backend& backend, caf::timestamp now);

private:
  struct pending {
    uint64_t epoch = 0;
    std::vector<append_group> groups;
  };

  caf::error check(const append_events& what) const;
  caf::expected<std::vector<std::optional<kept_id>>>
  known_ids(const journal_backend& backend) const;
  append_result decide(append_group& group, uint64_t epoch, std::optional<kept_id> known,
                       journal_head& head, caf::timestamp now);
  void clear();

  append_limits limits_;
  std::map<std::string, uint64_t> epochs_;
  std::vector<pending> appends_;
  uint64_t groups_ = 0;
  uint64_t bytes_ = 0;
  journal_commit commit_;                                     ///< Kept for its capacity.
  std::unordered_map<std::string_view, size_t> ids_in_batch_; ///< Id -> place in `appended_ids_`.
  std::vector<std::pair<uint64_t, std::string>> decided_;     ///< Digest and answer of those ids.
};

} // namespace troupe
