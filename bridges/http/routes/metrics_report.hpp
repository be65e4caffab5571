#pragma once

#include "bridges/http/routes/route_options.hpp"
#include "messages/amqp.hpp"
#include "messages/event.hpp"
#include "messages/machine.hpp"
#include "messages/run.hpp"
#include "messages/statistics.hpp"

#include <prometheus/metric_family.h>

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace troupe {

/// What the roles answered to one scrape; nothing of those that did not in time.
struct scraped_roles {
  std::map<std::string, bool> up; ///< Roles that were asked.
  caf::timespan canary{0};        ///< From the first question to the last answer.
  std::optional<journal_status> journal;
  std::optional<queue_list> queues;
  std::optional<statistics_counters> statistics;
  std::optional<amqp_status> amqp;
  std::optional<machine_counters> machines;
  std::optional<dead_letter_queues> dead_letters;
  std::optional<caf::timestamp> outbox_oldest; ///< Arrival of the oldest unpublished event.
};

/// Adds everything that is known of roles and node. Names and labels: docs/metrics.md.
void collect_roles(std::vector<prometheus::MetricFamily>& to, const scraped_roles& from,
                   caf::timestamp now);
void collect_streams(std::vector<prometheus::MetricFamily>& to, size_t live);
void collect_node(std::vector<prometheus::MetricFamily>& to, const node_figures& from);

/// Adds the names of a usual Celery exporter, so that old boards live on.
void collect_celery(std::vector<prometheus::MetricFamily>& to, const statistics_counters& from);

} // namespace troupe
