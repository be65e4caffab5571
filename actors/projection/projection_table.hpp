#pragma once

#include "actors/store/database.hpp"

#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace troupe {

/// Changes of a table that happen together; no value = erase the key.
using table_changes = std::vector<std::pair<std::string, std::optional<std::string>>>;

/// Ordered keys and values: where a projection keeps its state.
///
/// Threads: one at a time. Calls may block on the disk.
class projection_table {
public:
  virtual ~projection_table() = default;

  /// Errors: `ec::disk_full` (nothing happened), `ec::unavailable` (broken for good).
  virtual caf::error write(const table_changes& changes) = 0;
  virtual caf::expected<std::optional<std::string>> get(std::string_view key) const = 0;
  /// Returns the values of keys, in their order.
  virtual caf::expected<std::vector<std::optional<std::string>>>
  multi_get(std::span<const std::string_view> keys) const;
  /// Visits a range in order; `visit` must not change the table.
  virtual caf::error scan(const key_range& range, const visit_entry& visit) const = 0;
};

/// A table that ends with the process.
class memory_table final : public projection_table {
public:
  caf::error write(const table_changes& changes) override;
  caf::expected<std::optional<std::string>> get(std::string_view key) const override;
  caf::error scan(const key_range& range, const visit_entry& visit) const override;

private:
  std::map<std::string, std::string, std::less<>> entries_;
};

/// How a table's writes reach the disk.
enum class table_sync : uint8_t {
  with_journal, ///< By the next fsync of the journal, which shares the log; a lost tail is read
                ///< again.
  each_write,   ///< At once: the journal is on another node and forgets what a cursor has passed.
};

/// Returns one family of the node's database.
std::shared_ptr<projection_table> make_projection_table(std::shared_ptr<database> db, family where,
                                                        table_sync how = table_sync::with_journal);

} // namespace troupe
