#pragma once

#include "actors/projection/projection_table.hpp"
#include "actors/statistics/tally.hpp"

#include <functional>
#include <list>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace troupe {

/// The groups of one dimension (kinds, queues, ...): so many of them at most. Of
/// more, the one that was active longest ago is added to the group "other"; as the
/// order of events decides which, a rebuild has the same groups.
///
/// One row per group: `prefix` and its name; "other" has the empty name.
class group_table {
public:
  group_table(std::string prefix, size_t most) : prefix_{std::move(prefix)}, most_{most} {}

  /// Returns the group for an event with this sequence; it is the latest then.
  tally& at(std::string_view name, uint64_t sequence);

  /// Takes one from `member` of the group, or of "other" if it had to make room since.
  void take_back(std::string_view name, uint64_t tally::*member);

  /// Calls `visit` with name and tally, the most recently active first, "other" last.
  /// `visit` returns false to stop.
  void visit(const std::function<bool(std::string_view name, const tally&)>& see) const;

  /// Returns a group or null.
  const tally* find(std::string_view name) const;

  /// Reads all groups. Errors: those of the table, `ec::corrupt`.
  caf::error load(const projection_table& from);

  /// Adds what changed since the last time.
  void save(table_changes& to);

private:
  struct group {
    std::string name;
    tally counts;
    bool changed = false;
  };
  using groups = std::list<group>;

  void change(group& x);
  void make_room();

  std::string prefix_;
  size_t most_;
  groups by_age_;                                                  ///< The latest first.
  std::unordered_map<std::string_view, groups::iterator> by_name_; ///< Keys live in `by_age_`.
  std::vector<group*> changed_;                                    ///< Since `save`.
  std::set<std::string> gone_; ///< Names whose rows are to be erased.
  tally other_;
  bool other_changed_ = false;
  bool other_exists_ = false;
};

} // namespace troupe
