#pragma once

#include "actors/machines/machine_row.hpp"

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
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
    rows_[x].id = keep(id);
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
    std::erase(free_, x);
    rows_[x] = std::move(old);
    by_id_.emplace(rows_[x].id, x);
    changed(x);
  }

  /// Replaces all but the id.
  void fill(place x, machine_row&& row) {
    row.id = rows_[x].id;
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
  static constexpr auto chunk_size = size_t{64} << 10;

  /// Ids come one after the other in large pieces; what a removed one took is not reused.
  std::string_view keep(std::string_view id) {
    if (chunks_.empty() || used_ + id.size() > chunk_size) {
      chunks_.push_back(std::make_unique<char[]>(chunk_size));
      used_ = 0;
    }
    auto* to = chunks_.back().get() + used_;
    id.copy(to, id.size());
    used_ += id.size();
    return {to, id.size()};
  }

  std::deque<machine_row> rows_;
  std::vector<std::unique_ptr<char[]>> chunks_;
  size_t used_ = 0; ///< Of the last chunk.
  std::vector<int64_t> seen_;
  std::vector<place> free_;
  std::map<std::string_view, place> by_id_;
};

} // namespace troupe
