#pragma once

#include "actors/objects/object_fold.hpp"
#include "actors/projection/projection.hpp"
#include "actors/projection/projection_table.hpp"
#include "messages/job_events.hpp"
#include "messages/object.hpp"

#include <map>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

namespace troupe {

/// How far the objects have come; kept in the same write as what was applied.
struct object_mark {
  uint64_t sequence = 0;  ///< Of the last event applied.
  uint64_t epoch = 0;     ///< Of the latest ledger; its events of earlier ones do not count.
  uint64_t ids_below = 0; ///< Ids from here on were never reserved.
  uint64_t objects = 0;   ///< Kept ones.

  static constexpr auto type_name = "troupe::object_mark";
  static constexpr auto fields = std::tuple{
    field{"sequence", &object_mark::sequence},
    field{"epoch", &object_mark::epoch},
    field{"ids_below", &object_mark::ids_below},
    field{"objects", &object_mark::objects},
  };
};

/// The objects as the journal tells them: a projection in one ordered table.
///
/// key          | value
/// -------------|------------------------------------------
/// "m"          | `object_mark`
/// "o" object   | `object_view` with all tasks
/// "d" job      | object (8 bytes); its task of that job is dead
/// "w" task id  | job (16 bytes); the id came from an outside distributor
///
/// Numbers are 8 bytes, big endian. Job ids grow with time, so the dead are in order of age.
///
/// Threads: one at a time. Calls may block on the disk.
class object_table final : public projection {
public:
  explicit object_table(std::shared_ptr<projection_table> table) : table_{std::move(table)} {}

  caf::error open() override;
  uint64_t applied() const override {
    return mark_.sequence;
  }
  caf::error apply(const event_batch& batch) override;
  caf::error keep_mark() override;
  void skip_to(uint64_t sequence) override;

  const object_mark& mark() const {
    return mark_;
  }

  /// Errors: `ec::not_found`.
  caf::expected<object_view> find(uint64_t id) const;
  caf::expected<bool> has(uint64_t id) const;
  caf::expected<object_page> list(const list_objects& query) const;
  /// Errors: `ec::invalid_argument` (where to go on).
  caf::expected<dead_task_page> dead(const list_dead_tasks& query) const;
  /// Returns the job of a task id as on the wire, nothing if no such task came from outside.
  caf::expected<std::optional<job_id>> job_of(std::string_view task) const;
  /// Whether a job is a dead task.
  caf::expected<bool> is_dead(const job_id& job) const;

  /// Forgets ended objects, the smallest id first: those made before `before`, and as many
  /// as are over `keep`. Looks at `most` objects, goes on behind them the next time, and
  /// answers whether there is more to look at.
  caf::expected<bool> retire(caf::timestamp before, uint64_t keep, size_t most);

private:
  /// What a batch changes: objects are read once and written once.
  struct draft {
    object_mark mark;
    std::map<uint64_t, object_view> objects;
    std::map<job_id, std::optional<uint64_t>> dead; ///< Enters the list (its object), or leaves it.
    table_changes changes;

    void note(const task_change& what, uint64_t object);
  };

  caf::error apply_event(const stored_event& x, draft& to) const;
  template <class T>
  caf::error apply_task(const T& x, const std::string& subject, caf::timestamp at, draft& to) const;
  caf::error apply_purge(const object_tasks_purged& x, draft& to) const;
  caf::expected<std::optional<uint64_t>> object_of_dead(const job_id& job, const draft& to) const;
  caf::expected<object_view*> open_object(uint64_t id, draft& to) const;

  std::shared_ptr<projection_table> table_;
  object_mark mark_;
  uint64_t retired_ = 0; ///< Where `retire` goes on.
};

} // namespace troupe
