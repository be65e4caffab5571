#pragma once

#include "actors/machines/machine_fold.hpp"
#include "actors/machines/machine_history.hpp"
#include "actors/machines/machine_rows.hpp"
#include "actors/projection/projection.hpp"
#include "actors/projection/projection_table.hpp"
#include "messages/machine.hpp"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace troupe {

/// What is kept of machines and for how long.
struct machine_limits {
  machine_ages ages;
  /// Runs that began so long before the latest one of their machine are forgotten.
  caf::timespan history_for{std::chrono::hours{24 * 30}};
  /// Machines that are silent for so long are forgotten, but for expected and quarantined ones;
  /// 0 = none is. It goes by the clock: a rebuild remembers what the journal still tells of them.
  caf::timespan keep_for{0};
  bool own_runners = false;              ///< Runners of ours are machines, too ...
  std::string own_datacenter = "troupe"; ///< ... of this datacenter.
};

/// How far the machines have come; kept in the same write as what was applied.
struct machine_mark {
  uint64_t sequence = 0; ///< Of the last event applied.

  static constexpr auto type_name = "troupe::machine_mark";
  static constexpr auto fields = std::tuple{field{"sequence", &machine_mark::sequence}};
};

/// What was said with the quarantines of one machine, the latest first.
struct quarantine_history {
  std::vector<quarantine_detail> details;

  static constexpr auto type_name = "troupe::quarantine_history";
  static constexpr auto fields = std::tuple{field{"details", &quarantine_history::details}};
};

/// Machines as the journal tells them: a projection in one ordered table. All rows are in
/// memory, what the machines did is on disk only.
///
/// key                        | value
/// ---------------------------|------------------------------------------
/// "m"                        | `machine_mark`
/// "r" id                     | `machine_record`
/// "h" id 0 begin task 0 run kind reason | `history_entry`; begin descends
/// "q" id                     | `quarantine_history`
/// "f" id                     | when it was forgotten (8 bytes, ns); older signs do not count
///
/// What is kept depends on the set of signs only, so a rebuild is equal.
///
/// Threads: one at a time. Calls may block on the disk.
class machine_table final : public projection {
public:
  explicit machine_table(std::shared_ptr<projection_table> table, machine_limits limits = {});
  ~machine_table() override;

  // machine_table.cpp
  caf::error open() override;
  uint64_t applied() const override {
    return mark_.sequence;
  }
  caf::error apply(const event_batch& batch) override;
  caf::error keep_mark() override;
  void skip_to(uint64_t sequence) override;
  /// Forgets machines that were not heard of since `before`, at most `most` of those looked at
  /// behind where it stopped the last time; tells whether there is more to look at.
  caf::expected<bool> retire(caf::timestamp before, size_t most);

  // machine_answers.cpp
  sighting_list sightings(const list_sightings& what) const;
  caf::expected<machine_page> list(const list_machines& what, caf::timestamp now) const;
  /// Errors: `ec::not_found`, also for one that is only expected.
  caf::expected<machine_view> find(std::string_view id, caf::timestamp now) const;
  /// Returns also what is only expected.
  caf::expected<machine_view> view(std::string_view id, caf::timestamp now) const;
  caf::expected<machine_task_page> tasks(const list_machine_tasks& what) const;
  machine_summary summary(const summarize_machines& what, caf::timestamp now) const;
  machine_counters counters(caf::timestamp now) const;

  // For what decides about alerts.
  const machine_rows& rows() const {
    return rows_;
  }
  const word_list& words() const {
    return words_;
  }
  const machine_limits& limits() const {
    return limits_;
  }
  caf::expected<machine_streaks> streaks(std::string_view id) const {
    return read_streaks(*table_, id);
  }
  /// Returns the places of machines about which something was heard since the last call.
  std::vector<machine_rows::place> take_touched();

private:
  struct draft;

  caf::error apply_event(const stored_event& x, draft& to);
  void add_sign(machine_seen x, caf::timestamp arrived, draft& to);
  caf::error settle(draft& to);
  caf::error forget_runs(machine_rows::place where, draft& to);
  caf::error erase_prefix(const std::string& prefix, draft& to);
  caf::error drop(machine_rows::place where, draft& to);
  caf::error apply_quarantine(const machine_quarantined& x, draft& to);
  void apply_inventory(const machine_inventory& x, draft& to);
  caf::error apply_forgotten(const machine_forgotten& x, draft& to);
  void apply_alert(const machine_alert& x, draft& to);
  machine_rows::place touch(std::string_view id, draft& to);
  caf::error write(draft& to);
  void roll_back(draft& to);

  caf::expected<machine_view> view_of(const machine_row& row, caf::timestamp now,
                                      const machine_ages& ages, size_t recent) const;

  std::shared_ptr<projection_table> table_;
  machine_limits limits_;
  machine_mark mark_;
  word_list words_;
  machine_rows rows_;
  std::unordered_map<std::string, caf::timestamp> forgotten_;
  std::vector<machine_rows::place> touched_;
  std::string retired_up_to_; ///< Where `retire` goes on.
  machine_counters counts_;   ///< Without the rows.
};

} // namespace troupe
