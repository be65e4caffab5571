#include "actors/jobs/ledger_options.hpp"

#include <atomic>
#include <ctime>

namespace troupe {

namespace {

constexpr auto precision = caf::timespan{std::chrono::milliseconds{100}};

caf::timespan read_clock(clockid_t which) {
  auto x = timespec{};
  if (clock_gettime(which, &x) != 0)
    return caf::timespan{0};
  return std::chrono::seconds{x.tv_sec} + std::chrono::nanoseconds{x.tv_nsec};
}

} // namespace

caf::timespan time_suspended() {
  // The thread may lose the processor between the readings, so only whole steps count.
  static auto known = std::atomic<int64_t>{0};
  auto before = read_clock(CLOCK_MONOTONIC);
  auto boot = read_clock(CLOCK_BOOTTIME);
  auto after = read_clock(CLOCK_MONOTONIC);
  if (after - before < precision / 10) {
    auto slept = (boot - before) / precision * precision.count();
    auto was = known.load();
    while (slept > was && !known.compare_exchange_weak(was, slept))
      ;
  }
  return caf::timespan{known.load()};
}

} // namespace troupe
