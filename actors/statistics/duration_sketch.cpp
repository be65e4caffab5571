#include "actors/statistics/duration_sketch.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

namespace troupe {

namespace {

/// Buckets of each power of two: 2^6. Below 64 us a bucket is one value.
constexpr auto fine_bits = 6;
constexpr auto fine = uint64_t{1} << fine_bits;

constexpr uint16_t bucket_of(uint64_t x) {
  if (x < fine)
    return static_cast<uint16_t>(x);
  auto power = std::bit_width(x) - 1;
  auto within = (x >> (power - fine_bits)) & (fine - 1);
  return static_cast<uint16_t>((static_cast<uint64_t>(power - fine_bits + 1) << fine_bits)
                               + within);
}

constexpr uint64_t lowest_in(uint16_t index) {
  if (index < fine)
    return index;
  auto shift = (index >> fine_bits) - 1;
  return (fine + (index & (fine - 1))) << shift;
}

constexpr uint64_t width_of_bucket(uint16_t index) {
  return index < fine ? 1 : uint64_t{1} << ((index >> fine_bits) - 1);
}

constexpr auto bucket_limit = uint16_t{bucket_of(duration_sketch::longest) + 1};

double seconds(uint64_t us) {
  return static_cast<double>(us) / 1e6;
}

} // namespace

void duration_sketch::add(caf::timespan x) {
  auto us =
    x.count() <= 0 ? uint64_t{0} : std::min(static_cast<uint64_t>(x.count()) / 1000, longest);
  auto index = bucket_of(us);
  auto at = std::lower_bound(buckets_.begin(), buckets_.end(), index,
                             [](const bucket& b, uint16_t i) { return b.index < i; });
  if (at == buckets_.end() || at->index != index)
    at = buckets_.insert(at, {index, 0});
  ++at->count;
  min_ = count_ == 0 ? us : std::min(min_, us);
  max_ = std::max(max_, us);
  ++count_;
  sum_ += us;
}

void duration_sketch::merge(const duration_sketch& other) {
  if (other.count_ == 0)
    return;
  auto both = std::vector<bucket>{};
  both.reserve(buckets_.size() + other.buckets_.size());
  std::merge(buckets_.begin(), buckets_.end(), other.buckets_.begin(), other.buckets_.end(),
             std::back_inserter(both),
             [](const bucket& a, const bucket& b) { return a.index < b.index; });
  auto last = both.begin();
  for (auto at = both.begin() + 1; at != both.end(); ++at)
    if (at->index == last->index)
      last->count += at->count;
    else
      *++last = *at;
  both.erase(last + 1, both.end());
  buckets_ = std::move(both);
  min_ = count_ == 0 ? other.min_ : std::min(min_, other.min_);
  max_ = std::max(max_, other.max_);
  count_ += other.count_;
  sum_ += other.sum_;
}

uint64_t duration_sketch::quantile(double q) const {
  if (count_ == 0)
    return 0;
  auto rank = std::clamp<uint64_t>(
    static_cast<uint64_t>(std::ceil(q * static_cast<double>(count_))), 1, count_);
  if (rank == 1 || rank == count_)
    return rank == 1 ? min_ : max_; // known exactly
  auto seen = uint64_t{0};
  for (const auto& b : buckets_) {
    seen += b.count;
    if (seen >= rank)
      return std::clamp(lowest_in(b.index) + width_of_bucket(b.index) / 2, min_, max_);
  }
  return max_;
}

uint64_t duration_sketch::at_most(uint64_t x) const {
  auto last = bucket_of(std::min(x, longest));
  auto out = uint64_t{0};
  for (const auto& b : buckets_)
    out += b.index <= last ? b.count : 0;
  return out;
}

duration_summary duration_sketch::summary() const {
  auto out = duration_summary{};
  out.count = count_;
  out.sum_s = seconds(sum_);
  out.min_s = seconds(min_);
  out.max_s = seconds(max_);
  out.avg_s = count_ == 0 ? 0 : out.sum_s / static_cast<double>(count_);
  out.p50_s = seconds(quantile(0.5));
  out.p90_s = seconds(quantile(0.9));
  out.p99_s = seconds(quantile(0.99));
  return out;
}

std::string duration_sketch::bytes() const {
  auto out = std::string{};
  if (count_ == 0)
    return out;
  auto to = encoder{out};
  to.number(sum_);
  to.number(min_);
  to.number(max_);
  to.number(buckets_.size());
  auto before = uint64_t{0};
  for (const auto& b : buckets_) {
    to.number(b.index - before);
    to.number(b.count);
    before = b.index;
  }
  return out;
}

caf::expected<duration_sketch> duration_sketch::load(std::string_view bytes) {
  auto out = duration_sketch{};
  if (bytes.empty())
    return out;
  auto in = decoder{bytes};
  out.sum_ = in.number();
  out.min_ = in.number();
  out.max_ = in.number();
  auto left = in.number();
  auto sound = left > 0 && left <= bucket_limit;
  auto index = uint64_t{0};
  for (auto first = true; sound && in.ok() && left > 0; --left, first = false) {
    auto step = in.number();
    auto count = in.number();
    sound =
      (first || step > 0) && step < bucket_limit && count > 0 && count <= UINT64_MAX - out.count_;
    index += step;
    sound = sound && index < bucket_limit;
    out.buckets_.push_back({static_cast<uint16_t>(index), count});
    out.count_ += count;
  }
  sound = sound && in.ok() && in.at_end() && out.min_ <= out.max_ && out.max_ <= longest
          && bucket_of(out.min_) == out.buckets_.front().index
          && bucket_of(out.max_) == out.buckets_.back().index;
  // Numbers may be written with needless zeros: there must be only one form.
  if (!sound || out.bytes() != bytes)
    return fault(ec::corrupt, "malformed durations");
  return out;
}

} // namespace troupe
