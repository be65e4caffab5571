#pragma once

#include "actors/machines/machine_row.hpp"

#include <cstdint>
#include <deque>
#include <map>
#include <string_view>
#include <utility>
#include <vector>

namespace troupe {

/// The rows of all machines in memory, by place and by id. A place is kept while its
/// machine is known and given to another one later.
class machine_rows {
public:
  using place = uint32_t;
  static constexpr auto nowhere = place{UINT32_MAX};

  place find(std::string_view id) const {
    auto i = by_id_.find(id);
    return i != by_id_.end() ? i->second : nowhere;
  }

  const machine_row& at(place x) const {
    return rows_[x];
  }
  machine_row& at(place x) {
    return rows_[x];
  }

  /// Makes room for a machine that has none.
  place add(std::string_view id) {
    auto x = place{};
    if (free_.empty()) {
      x = static_cast<place>(rows_.size());
      rows_.emplace_back();
      seen_.emplace_back(0);
    } else {
      x = free_.back();
      free_.pop_back();
    }
    rows_[x].id = id;
    by_id_.emplace(rows_[x].id, x);
    return x;
  }

  void remove(place x) {
    by_id_.erase(rows_[x].id);
    rows_[x] = {};
    seen_[x] = 0;
    free_.push_back(x);
  }

  /// Puts a row back to the place where it was.
  void restore(place x, machine_row&& old) {
    if (rows_[x].id != old.id) {
      if (!rows_[x].empty())
        by_id_.erase(rows_[x].id);
      std::erase(free_, x);
      rows_[x].id = std::move(old.id);
      if (!rows_[x].empty())
        by_id_.emplace(rows_[x].id, x);
      else
        free_.push_back(x);
    }
    fill(x, std::move(old));
  }

  /// Replaces all but the id, which is referred to.
  void fill(place x, machine_row&& row) {
    row.id = std::move(rows_[x].id);
    rows_[x] = std::move(row);
    changed(x);
  }

  /// To be called when a row has changed.
  void changed(place x) {
    seen_[x] = rows_[x].seen.time_since_epoch().count();
  }

  /// Last signs of life by place, ns since the epoch, densely: a page by age looks at all of them.
  const std::vector<int64_t>& seen() const {
    return seen_;
  }

  /// In the order of ids.
  const std::map<std::string_view, place>& by_id() const {
    return by_id_;
  }

  size_t size() const {
    return by_id_.size();
  }

private:
  std::deque<machine_row> rows_; ///< Never move, as ids are referred to.
  std::vector<int64_t> seen_;
  std::vector<place> free_;
  std::map<std::string_view, place> by_id_;
};

} // namespace troupe
