#pragma once

#include "actors/journal/journal_backend.hpp"
#include "actors/store/database.hpp"

#include <memory>
#include <mutex>

namespace troupe {

/// A journal in the node's database; key layouts in `actors/store/families.hpp`.
class embedded_backend final : public journal_backend {
public:
  /// Finds the journal in `db` or makes one. Errors: `ec::corrupt` (head and
  /// events disagree), those of the database.
  static caf::expected<std::shared_ptr<embedded_backend>> open(std::shared_ptr<database> db);

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

private:
  explicit embedded_backend(std::shared_ptr<database> db);
  caf::error load();
  caf::error create();
  void put_events(const std::vector<stored_event>& events);
  void move_head(journal_head to);

  std::shared_ptr<database> db_;
  std::string id_;
  write_batch batch_;  ///< Reused by `commit`.
  std::string buffer_; ///< Reused by `commit`.
  mutable std::mutex mutex_;
  journal_head head_;
};

} // namespace troupe
