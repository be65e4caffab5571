/// Durations and rates from disk: an error, or a state whose only encoding these bytes are.
#include "actors/statistics/duration_sketch.hpp"
#include "actors/statistics/rate_ring.hpp"

#include <cstdlib>

using namespace troupe;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  auto bytes = std::string_view{reinterpret_cast<const char*>(data), size};
  if (auto sketch = duration_sketch::load(bytes)) {
    if (sketch->bytes() != bytes)
      std::abort();
    auto summary = sketch->summary();
    if (summary.p50_s > summary.p90_s || summary.p90_s > summary.p99_s
        || summary.p99_s > summary.max_s)
      std::abort();
    auto twice = *sketch;
    twice.merge(*sketch);
    auto back = duration_sketch::load(twice.bytes());
    if (sketch->count() < UINT64_MAX / 2 && (!back || *back != twice))
      std::abort();
  }
  if (auto ring = rate_ring::load(bytes))
    if (ring->bytes() != bytes)
      std::abort();
  return 0;
}
