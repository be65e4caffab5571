#include "bridges/http/routes/metrics_report.hpp"

#include "bridges/http/metric_writer.hpp"
#include "bridges/http/routes/machine_metrics.hpp"

#include <algorithm>

namespace troupe {

namespace {

using prometheus::MetricType;

constexpr auto most_label_sets = size_t{64};

double number(uint64_t x) {
  return static_cast<double>(x);
}

double seconds(caf::timespan x) {
  return std::chrono::duration<double>(x).count();
}

/// Runner type and architecture of a queue "<runner>-<arch>-<cost>"; other queues have none.
std::pair<std::string, std::string> parts_of(const std::string& queue) {
  auto first = queue.find('-');
  auto last = queue.rfind('-');
  if (first == std::string::npos || last <= first)
    return {queue, ""};
  return {queue.substr(0, first), queue.substr(first + 1, last - first - 1)};
}

void collect_queues(metric_writer& write, const queue_list& from) {
  auto sums = std::map<std::pair<std::string, std::string>, std::pair<uint64_t, uint64_t>>{};
  for (const auto& x : from.queues) {
    auto key = parts_of(x.queue);
    if (sums.size() >= most_label_sets && !sums.contains(key))
      key = {"other", ""};
    sums[key].first += x.queued;
    sums[key].second += x.running;
  }
  write.begin("troupe_jobs", MetricType::Gauge, "Unfinished jobs.");
  for (const auto& [key, sum] : sums) {
    write.add({{"state", "queued"}, {"runner", key.first}, {"arch", key.second}},
              number(sum.first));
    write.add({{"state", "running"}, {"runner", key.first}, {"arch", key.second}},
              number(sum.second));
  }
}

prometheus::ClientMetric::Histogram histogram_of(const std::vector<duration_step>& steps,
                                                 const duration_summary& sum) {
  auto out = prometheus::ClientMetric::Histogram{};
  out.sample_count = sum.count;
  out.sample_sum = sum.sum_s;
  for (const auto& x : steps)
    out.bucket.push_back({x.count, x.at_most_s});
  return out;
}

void collect_work(metric_writer& write, const statistics_counters& from) {
  write.begin("troupe_jobs_total", MetricType::Counter, "Finished jobs.");
  for (const auto& [kind, x] : from.kinds)
    for (const auto& [result, count] : x.work.results)
      write.add({{"kind", kind}, {"result", result}}, number(count));
  write.begin("troupe_job_attempts_total", MetricType::Counter, "Ended runs.");
  for (const auto& [kind, x] : from.kinds)
    for (const auto& [reason, count] : x.work.reasons)
      write.add({{"kind", kind}, {"reason", reason}}, number(count));
  auto expired = uint64_t{0};
  for (const auto& [_, x] : from.kinds)
    if (auto i = x.work.reasons.find("claim-expired"); i != x.work.reasons.end())
      expired += i->second;
  write.counter("troupe_leases_expired_total", "Runs that were lost with their runner.",
                number(expired));
  write.begin("troupe_job_queue_seconds", MetricType::Histogram,
              "From being ready to the begin of a run.");
  for (const auto& [kind, x] : from.kinds)
    write.add({{"kind", kind}}, histogram_of(x.wait, x.work.wait));
  write.begin("troupe_job_run_seconds", MetricType::Histogram, "Time of ended runs.");
  for (const auto& [kind, x] : from.kinds)
    write.add({{"kind", kind}}, histogram_of(x.spend, x.work.spend));
}

void collect_statistics(metric_writer& write, const statistics_counters& from,
                        const std::optional<journal_status>& journal, caf::timestamp now) {
  collect_work(write, from);
  write.begin("troupe_events_total", MetricType::Counter, "Events of the journal.");
  for (const auto& [topic, count] : from.events)
    write.add({{"type", topic}}, number(count));
  auto behind = journal && from.sequence + 1 < journal->next;
  write.gauge("troupe_event_lag_seconds",
              "From an event's arrival to being applied; while behind, the age of the last one "
              "that was.",
              seconds(behind ? std::max(now - from.newest, from.lag) : from.lag));
  write.counter("troupe_events_repeated_total", "Events that told what had been counted.",
                number(from.repeated));
  write.counter("troupe_objects_total", "Objects.", number(from.generated));
  write.gauge("troupe_objects_open", "Objects with unfinished tasks.", number(from.objects_open));
  write.gauge("troupe_objects_completed", "Objects all of whose tasks have ended.",
              number(from.objects_completed));
}

void collect_journal(metric_writer& write, const journal_status& from) {
  write.gauge("troupe_journal_accepting", "0 while the disk guard refuses new work.",
              from.accepting ? 1 : 0);
  write.counter("troupe_journal_events_total", "Events since the journal was made.",
                number(from.next - 1));
  write.counter("troupe_inbox_duplicates_total",
                "Requests and deliveries answered as repeated, since the journal started.",
                number(from.repeated));
}

void collect_amqp(metric_writer& write, const amqp_status& from) {
  auto links = [&](const char* name, MetricType type, const char* help, auto value) {
    write.begin(name, type, help);
    for (const auto& x : from.links)
      write.add({{"link", x.link}}, value(x));
  };
  links("troupe_amqp_connected", MetricType::Gauge, "Whether the connection is up.",
        [](const auto& x) {
          return x.state == amqp_state::up || x.state == amqp_state::blocked ? 1.0 : 0.0;
        });
  links("troupe_amqp_blocked", MetricType::Gauge, "Whether the broker takes no messages.",
        [](const auto& x) { return x.state == amqp_state::blocked ? 1.0 : 0.0; });
  links("troupe_amqp_reconnects_total", MetricType::Counter, "Connections after the first one.",
        [](const auto& x) { return x.connections > 0 ? number(x.connections - 1) : 0.0; });
  write.gauge("troupe_amqp_unconfirmed", "Messages that were sent and not answered.",
              number(from.unconfirmed));
  const auto& sum = from.counters;
  write.counter("troupe_amqp_returned_total", "Messages that no queue wanted.",
                number(sum.returned));
  write.begin("troupe_amqp_messages_total", MetricType::Counter,
              "Messages by what became of them.");
  for (const auto& [outcome, count] : {std::pair{"delivered", sum.delivered},
                                       {"stored", sum.stored},
                                       {"repeated", sum.repeated},
                                       {"own", sum.own},
                                       {"poison", sum.poison},
                                       {"published", sum.published},
                                       {"confirmed", sum.confirmed},
                                       {"refused", sum.refused},
                                       {"dropped", sum.dropped},
                                       {"dead_lettered", sum.dead_letters}})
    write.add({{"outcome", outcome}}, number(count));
}

void collect_outbox(metric_writer& write, const scraped_roles& from, caf::timestamp now) {
  if (!from.amqp || from.amqp->cursor.empty())
    return;
  auto next = std::max(from.amqp->journal_next, from.journal ? from.journal->next : 1);
  write.gauge("troupe_outbox_depth", "Events that are not confirmed by the broker.",
              number(next - std::min(next, from.amqp->published_up_to + 1)));
  auto age =
    from.outbox_oldest ? std::max(now - *from.outbox_oldest, caf::timespan{0}) : caf::timespan{0};
  write.gauge("troupe_outbox_oldest_seconds", "Age of the oldest of them.", seconds(age));
}

} // namespace

void collect_roles(std::vector<prometheus::MetricFamily>& to, const scraped_roles& from,
                   caf::timestamp now) {
  auto write = metric_writer{to};
  write.begin("troupe_role_up", MetricType::Gauge, "Whether a role answered this scrape.");
  for (const auto& [role, up] : from.up)
    write.add({{"role", role}}, up ? 1 : 0);
  write.gauge("troupe_canary_seconds",
              "From a question to every role to the last answer; those that are silent count up to "
              "the limit of a scrape.",
              seconds(from.canary));
  if (from.queues)
    collect_queues(write, *from.queues);
  if (from.statistics)
    collect_statistics(write, *from.statistics, from.journal, now);
  if (from.journal)
    collect_journal(write, *from.journal);
  if (from.amqp)
    collect_amqp(write, *from.amqp);
  collect_outbox(write, from, now);
  if (from.machines)
    collect_machines(write, *from.machines);
  if (from.amqp)
    collect_feeds(write, from.amqp->feeds);
  if (from.dead_letters) {
    write.begin("troupe_dlq_depth", MetricType::Gauge, "Messages in dead-letter queues.");
    for (const auto& x : from.dead_letters->queues)
      write.add({{"queue", x.queue}}, number(x.messages));
  }
}

void collect_streams(std::vector<prometheus::MetricFamily>& to, size_t live) {
  auto write = metric_writer{to};
  write.gauge("troupe_sse_connections", "Live streams of events and logs that are open.",
              number(live));
}

void collect_node(std::vector<prometheus::MetricFamily>& to, const node_figures& from) {
  auto write = metric_writer{to};
  write.begin("troupe_build_info", MetricType::Gauge, "Which program this is.");
  write.add({{"version", from.version}, {"commit", from.commit}}, 1);
  write.gauge("troupe_config_last_reload_successful", "0 if the last SIGHUP found faults.",
              from.reload_successful ? 1 : 0);
  if (from.store_bytes)
    write.gauge("troupe_store_bytes", "Size of the database, roughly.", number(*from.store_bytes));
  write.begin("troupe_store_write_seconds", MetricType::Histogram,
              "Writes into the database that went well.");
  for (const auto& x : from.writes) {
    auto sum = duration_summary{};
    sum.count = x.count;
    sum.sum_s = x.sum_s;
    write.add({{"sync", x.synced ? "true" : "false"}}, histogram_of(x.steps, sum));
  }
  if (from.disk_bytes > 0) {
    write.gauge("troupe_disk_free_bytes", "Free space where the data folder is.",
                number(from.disk_free_bytes));
    write.gauge("troupe_disk_size_bytes", "Size of that file system.", number(from.disk_bytes));
  }
}

void collect_celery(std::vector<prometheus::MetricFamily>& to, const statistics_counters& from) {
  auto write = metric_writer{to};
  write.begin("celery_tasks_total", MetricType::Counter, "Tasks by state, as Celery names them.");
  for (const auto& [queue, x] : from.queues)
    for (const auto& [state, count] : {std::pair{"RECEIVED", x.distributed},
                                       {"STARTED", x.started},
                                       {"SUCCESS", x.processed},
                                       {"FAILURE", x.dead},
                                       {"RETRY", x.retried},
                                       {"REVOKED", x.canceled}})
      write.add({{"state", state}, {"queue", queue}}, number(count));
  write.begin("celery_task_runtime_seconds", MetricType::Histogram, "Time of ended runs.");
  for (const auto& [kind, x] : from.kinds)
    write.add({{"task", kind}}, histogram_of(x.spend, x.work.spend));
}

} // namespace troupe
