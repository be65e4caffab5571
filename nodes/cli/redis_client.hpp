#pragma once

#include "messages/error.hpp"

#include <memory>
#include <string>
#include <utility>
#include <vector>

struct redisContext;

namespace troupe::cli {

/// A connection to a Redis server. Threads: one; every call blocks, 10 s at most.
class redis_client {
public:
  /// Connects, logs in and chooses the database. Source: IANA's "redis" scheme.
  /// Errors: `ec::invalid_argument` (the address), `ec::unauthorized`, `ec::unavailable`.
  static caf::expected<redis_client> open(const std::string& url);

  /// Returns all fields of a hash, unordered. Errors: `ec::unavailable`, `ec::conflict` (no hash).
  caf::expected<std::vector<std::pair<std::string, std::string>>> hash(const std::string& key);

  /// Queues a command; `flush` sends what is queued and reads all answers. Errors: as `hash`.
  void queue(const std::vector<std::string>& words);
  size_t queued() const {
    return queued_;
  }
  caf::error flush();

private:
  struct closer {
    void operator()(redisContext* context) const;
  };
  explicit redis_client(redisContext* context) : context_{context} {}

  std::unique_ptr<redisContext, closer> context_;
  size_t queued_ = 0;
};

} // namespace troupe::cli
