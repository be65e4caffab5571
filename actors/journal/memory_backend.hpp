#pragma once

#include "actors/journal/journal_backend.hpp"

#include <atomic>
#include <deque>
#include <mutex>
#include <unordered_map>

namespace troupe {

/// A journal that ends with the process: for tests and for trying things out.
class memory_backend : public journal_backend {
public:
  memory_backend();

  std::string id() const override;
  journal_head head() const override;
  caf::error commit(journal_commit& what) override;
  caf::expected<std::vector<std::optional<kept_id>>>
  find_ids(std::span<const std::string_view> ids) const override;
  void forget_ids(uint64_t below_ordinal, caf::timestamp older_than) override;
  caf::expected<event_batch> read(const read_events& what) const override;
  caf::expected<std::map<std::string, uint64_t>> cursors() const override;
  caf::expected<std::map<std::string, uint64_t>> epochs() const override;
  caf::error keep_cursor(const cursor& x) override;
  caf::error drop_cursor(const std::string& name) override;
  caf::error trim(uint64_t below) override;
  uint64_t bytes_from(uint64_t sequence) const override;
  bool accepting() const override;
  uint64_t free_bytes() const override;

  /// From now on every commit fails with `why`, none if it is empty: fault tests.
  void fail_commits(caf::error why);

private:
  mutable std::mutex mutex_;
  std::string id_;
  journal_head head_;
  std::deque<stored_event> events_;
  std::unordered_map<std::string, kept_id> ids_;
  std::map<std::string, uint64_t> cursors_;
  std::map<std::string, uint64_t> epochs_;
  caf::error failure_;
};

} // namespace troupe
