#include "bridges/http/routes/machine_metrics.hpp"

namespace troupe {

namespace {

using prometheus::MetricType;

constexpr auto most_rows = size_t{256};

double to_number(uint64_t x) {
  return static_cast<double>(x);
}

/// The states, which exclude each other.
constexpr std::pair<const char*, uint64_t machine_tally::*> states[] = {
  {"busy", &machine_tally::busy},       {"idle", &machine_tally::idle},
  {"lost", &machine_tally::lost},       {"shutdown", &machine_tally::shutdown},
  {"unknown", &machine_tally::unknown},
};

/// What a machine may be beside its state.
constexpr std::pair<const char*, uint64_t machine_tally::*> marks[] = {
  {"stale", &machine_tally::stale},     {"overdue", &machine_tally::overdue},
  {"suspect", &machine_tally::suspect}, {"quarantined", &machine_tally::quarantined},
  {"missing", &machine_tally::missing},
};

/// Rows beyond the bound are one, so that a stranger's worker types do not fill the monitoring.
std::vector<machine_tally> bounded(const std::vector<machine_tally>& from) {
  if (from.size() <= most_rows)
    return from;
  auto out = std::vector<machine_tally>{from.begin(), from.begin() + most_rows};
  auto& rest = out.emplace_back();
  rest.datacenter = rest.worker_type = "other";
  for (auto i = most_rows; i < from.size(); ++i)
    for (const auto* group : {&states, &marks})
      for (auto [_, count] : *group)
        rest.*count += from[i].*count;
  return out;
}

void collect_rows(metric_writer& write, const std::vector<machine_tally>& rows) {
  auto all = [&](const char* name, const char* help, const char* label, const auto& group) {
    write.begin(name, MetricType::Gauge, help);
    for (const auto& x : rows)
      for (auto [word, count] : group)
        write.add({{"datacenter", x.datacenter}, {"worker_type", x.worker_type}, {label, word}},
                  to_number(x.*count));
  };
  all("troupe_machines", "Machines by state.", "state", states);
  all("troupe_machines_marked", "Machines by what they are beside their state.", "mark", marks);
}

} // namespace

void collect_machines(metric_writer& write, const machine_counters& from) {
  collect_rows(write, bounded(from.rows));
  write.begin("troupe_machine_messages_total", MetricType::Counter,
              "Signs of machines by what they say.");
  for (const auto& [kind, count] : from.messages)
    write.add({{"kind", kind}}, to_number(count));
  write.begin("troupe_machine_ignored_total", MetricType::Counter,
              "Signs that said nothing new of a machine, by reason.");
  for (const auto& [reason, count] : from.ignored)
    write.add({{"reason", reason}}, to_number(count));
  write.begin("troupe_machine_alerts_total", MetricType::Counter, "Alerts raised, by kind.");
  for (const auto& [kind, count] : from.alerts)
    write.add({{"kind", kind}}, to_number(count));
  write.counter("troupe_machine_duplicates_total", "Signs that told what was known.",
                to_number(from.duplicates));
  write.counter("troupe_machine_out_of_order_total", "Signs older than what was known.",
                to_number(from.out_of_order));
  write.gauge("troupe_machine_lag_seconds", "From what the latest sign tells to its arrival.",
              std::chrono::duration<double>(from.lag).count());
}

void collect_feeds(metric_writer& write, const std::vector<pulse_counters>& from) {
  auto words = [&](const char* name, const char* help, const char* label, auto member) {
    write.begin(name, MetricType::Counter, help);
    for (const auto& x : from)
      for (const auto& [word, count] : x.*member)
        write.add({{"feed", x.feed}, {label, word}}, to_number(count));
  };
  auto numbers = [&](const char* name, MetricType type, const char* help, auto value) {
    write.begin(name, type, help);
    for (const auto& x : from)
      write.add({{"feed", x.feed}}, value(x));
  };
  words("troupe_pulse_messages_total", "Messages that a feed heard.", "exchange",
        &pulse_counters::messages);
  words("troupe_pulse_ignored_total", "Messages that tell nothing of a machine, by reason.",
        "reason", &pulse_counters::ignored);
  numbers("troupe_pulse_parse_errors_total", MetricType::Counter,
          "Bodies that were not as the schemas say.",
          [](const auto& x) { return to_number(x.parse_errors); });
  numbers("troupe_pulse_recovered_total", MetricType::Counter,
          "Machines that were found in the runs of a task only.",
          [](const auto& x) { return to_number(x.recovered); });
  numbers("troupe_pulse_lag_seconds", MetricType::Gauge,
          "From what the latest message tells to its arrival.",
          [](const auto& x) { return std::chrono::duration<double>(x.lag).count(); });
  numbers("troupe_pulse_waiting", MetricType::Gauge, "Messages in the queue, as of the last look.",
          [](const auto& x) { return to_number(x.waiting); });
}

} // namespace troupe
