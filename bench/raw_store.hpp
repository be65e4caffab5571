#pragma once

#include <cstdint>

namespace troupe::bench {

/// What RocksDB alone does with the same work, from one thread.
struct raw_store_speed {
  double writes_per_s = 0;
  double reads_per_s = 0;
};

/// Writes `n` values of `bytes` with an id key each in batches of `batch`, one
/// fsync per batch, with default options; then reads them back in order.
raw_store_speed measure_raw_store(int64_t n, int batch, int bytes);

} // namespace troupe::bench
