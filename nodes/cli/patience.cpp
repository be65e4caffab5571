#include "nodes/cli/patience.hpp"

#include <algorithm>
#include <thread>

namespace troupe::cli {

std::chrono::milliseconds patience::pause(unsigned n, double jitter) {
  auto steps = std::min(n > 0 ? n - 1 : 0U, 5U);
  auto wait = std::min(250.0 * static_cast<double>(1U << steps), 5000.0);
  return std::chrono::milliseconds{static_cast<int64_t>(wait * (0.8 + 0.4 * jitter))};
}

void patience::answered() {
  failures_ = 0;
}

bool patience::wait_after(const caf::error& why) {
  if (!retryable(why))
    return false;
  auto now = std::chrono::steady_clock::now();
  if (failures_++ == 0)
    since_ = now;
  auto wait = pause(failures_, std::uniform_real_distribution<>{}(random_));
  if (now + wait - since_ > limit_)
    return false;
  std::this_thread::sleep_for(wait);
  return true;
}

} // namespace troupe::cli
