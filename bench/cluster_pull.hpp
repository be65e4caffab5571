#pragma once

#include <cstdint>
#include <vector>

namespace troupe::bench {

/// Stored events of about 300 bytes that a consumer on another node reads per
/// second, over TLS on loopback, with two requests of 1 MiB under way; one value
/// per run over all `events`.
std::vector<double> measure_event_pull(uint64_t events, unsigned runs);

} // namespace troupe::bench
