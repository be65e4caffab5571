#pragma once

#include "bridges/amqp/inbound_message.hpp"

#include <mutex>
#include <utility>
#include <vector>

namespace troupe {

/// Names one delivery of one subscription, for its settlement.
struct delivery_ref {
  uint32_t queue = 0; ///< Place in the list of consumed queues.
  uint64_t stay = 0;  ///< Which opening of its channel; tags of others mean nothing.
  uint64_t tag = 0;
};

/// One delivery with what came with it.
struct delivery {
  delivery_ref ref;
  inbound_message message;
};

/// Bytes that a delivery takes in memory, about.
inline size_t weight_of(const inbound_message& x) {
  return x.body.size() + x.headers.size() + 512;
}

/// Hands items from one thread to another. Threads: any.
template <class T>
class item_box {
public:
  /// Returns whether it was empty.
  bool put(std::vector<T>&& items) {
    auto guard = std::lock_guard{mutex_};
    auto was_empty = items_.empty();
    if (was_empty)
      items_ = std::move(items);
    else
      for (auto& x : items)
        items_.push_back(std::move(x));
    items.clear();
    return was_empty;
  }

  std::vector<T> take() {
    auto guard = std::lock_guard{mutex_};
    return std::exchange(items_, {});
  }

private:
  std::mutex mutex_;
  std::vector<T> items_;
};

} // namespace troupe
