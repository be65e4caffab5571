#pragma once

#include <prometheus/metric_family.h>

#include <vector>

namespace troupe {

/// Adds the `process_*` metrics of this process, as Prometheus's client libraries
/// name them. What the system does not tell is left out.
void collect_process(std::vector<prometheus::MetricFamily>& to);

} // namespace troupe
