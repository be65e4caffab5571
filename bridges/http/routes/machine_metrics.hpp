#pragma once

#include "bridges/http/metric_writer.hpp"
#include "messages/amqp.hpp"
#include "messages/machine.hpp"

namespace troupe {

/// Adds what the machine tracker counts. At most 256 pairs of datacenter and worker type have
/// labels of their own. Names and labels: docs/metrics.md; source: spec/machines.md 2.8.
void collect_machines(metric_writer& write, const machine_counters& from);

/// Adds what the feeds of the tracker heard.
void collect_feeds(metric_writer& write, const std::vector<pulse_counters>& from);

} // namespace troupe
