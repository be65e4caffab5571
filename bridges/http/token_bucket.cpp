#include "bridges/http/token_bucket.hpp"

#include <algorithm>
#include <cmath>

namespace troupe {

double token_buckets::filled(const bucket& x, clock::time_point now) const {
  auto seconds = std::chrono::duration<double>(now - x.at).count();
  return std::min(burst(), x.tokens + seconds * rate_);
}

int token_buckets::take(uint64_t key, clock::time_point now) {
  if (rate_ <= 0)
    return 0;
  if (buckets_.size() >= max_keys_ && buckets_.count(key) == 0) {
    std::erase_if(buckets_, [&](const auto& x) { return filled(x.second, now) >= burst(); });
    // A flood of keys: better to forgive all than to refuse strangers for it.
    if (buckets_.size() >= max_keys_)
      buckets_.clear();
  }
  auto& x = buckets_.try_emplace(key, bucket{burst(), now}).first->second;
  x = {filled(x, now), now};
  if (x.tokens < 1)
    return std::max(1, static_cast<int>(std::ceil((1 - x.tokens) / rate_)));
  x.tokens -= 1;
  return 0;
}

bool token_buckets::has(uint64_t key, clock::time_point now) const {
  if (rate_ <= 0)
    return true;
  auto i = buckets_.find(key);
  return i == buckets_.end() || filled(i->second, now) >= 1;
}

} // namespace troupe
