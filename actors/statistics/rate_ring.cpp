#include "actors/statistics/rate_ring.hpp"

#include <algorithm>

namespace troupe {

namespace {

constexpr auto slot_time = caf::timespan{std::chrono::seconds{5}};

/// From 1: 0 stands for "none yet".
uint64_t slot_of(caf::timestamp t) {
  return 1 + static_cast<uint64_t>(std::max(t.time_since_epoch() / slot_time, int64_t{0}));
}

} // namespace

void rate_ring::add(caf::timestamp arrived) {
  auto slot = slot_of(arrived);
  if (slot + slots <= newest_)
    return; // a clock was set back by more than the ring is long
  for (auto stale = std::min(slot > newest_ ? slot - newest_ : 0, slots); stale > 0; --stale)
    counts_[(slot - stale + 1) % slots] = 0;
  newest_ = std::max(newest_, slot);
  ++counts_[slot % slots];
}

double rate_ring::rate(caf::timestamp now, uint64_t wanted) const {
  auto last = slot_of(now);
  auto sum = uint64_t{0};
  for (auto slot = last - std::min(last, wanted - 1); slot <= last; ++slot)
    if (slot <= newest_ && slot + slots > newest_)
      sum += counts_[slot % slots];
  // The present slot has not ended yet.
  auto time = slot_time * (wanted - 1) + now.time_since_epoch() % slot_time;
  return static_cast<double>(sum) / std::chrono::duration<double>(time).count();
}

event_rate rate_ring::rate(caf::timestamp now) const {
  return {rate(now, 12), rate(now, 60), rate(now, slots)};
}

std::string rate_ring::bytes() const {
  auto out = std::string{};
  if (newest_ == 0)
    return out;
  auto to = encoder{out};
  to.number(newest_);
  for (auto i = uint64_t{0}; i < std::min(slots, newest_); ++i)
    if (auto count = counts_[(newest_ - i) % slots]; count > 0) {
      to.number(i);
      to.number(count);
    }
  return out;
}

caf::expected<rate_ring> rate_ring::load(std::string_view bytes) {
  auto out = rate_ring{};
  if (bytes.empty())
    return out;
  auto in = decoder{bytes};
  out.newest_ = in.number();
  while (in.ok() && !in.at_end()) {
    auto age = in.number();
    auto count = in.number();
    if (age >= std::min(slots, out.newest_) || count > UINT32_MAX)
      return fault(ec::corrupt, "malformed rates");
    out.counts_[(out.newest_ - age) % slots] = static_cast<uint32_t>(count);
  }
  if (!in.ok() || out.bytes() != bytes)
    return fault(ec::corrupt, "malformed rates");
  return out;
}

} // namespace troupe
