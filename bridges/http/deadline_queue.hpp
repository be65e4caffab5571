#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <queue>
#include <utility>
#include <vector>

namespace troupe {

/// Times at which to look at a connection. Entries are never removed: an owner
/// whose deadline moved away looks, finds nothing due and sets a new one. So a
/// busy connection costs one entry per period, not one per request.
class deadline_queue {
public:
  using time = std::chrono::steady_clock::time_point;

  void add(time at, uint64_t id) {
    entries_.emplace(at, id);
  }

  bool empty() const {
    return entries_.empty();
  }

  time earliest() const {
    return entries_.top().first;
  }

  /// Removes the earliest entry and returns its owner.
  uint64_t pop() {
    auto id = entries_.top().second;
    entries_.pop();
    return id;
  }

private:
  using entry = std::pair<time, uint64_t>;
  std::priority_queue<entry, std::vector<entry>, std::greater<>> entries_;
};

} // namespace troupe
