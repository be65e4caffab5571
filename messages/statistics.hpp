#pragma once

#include "messages/codec.hpp"

#include <caf/timestamp.hpp>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

/// How many, how long, how fast. Source: spec/pipeline.md 3.5.
///
/// A *target* is a job. Everything is counted once per (target, type of event,
/// run), however often the journal tells it.
namespace troupe {

/// Durations of ended runs, or of waits. Quantiles are within 0.8 % of the exact ones.
struct duration_summary {
  uint64_t count = 0;
  double sum_s = 0;
  double min_s = 0;
  double max_s = 0;
  double avg_s = 0;
  double p50_s = 0;
  double p90_s = 0;
  double p99_s = 0;

  static constexpr auto type_name = "troupe::duration_summary";
  static constexpr auto fields = std::tuple{
    field{"count", &duration_summary::count}, field{"sum_s", &duration_summary::sum_s},
    field{"min_s", &duration_summary::min_s}, field{"max_s", &duration_summary::max_s},
    field{"avg_s", &duration_summary::avg_s}, field{"p50_s", &duration_summary::p50_s},
    field{"p90_s", &duration_summary::p90_s}, field{"p99_s", &duration_summary::p99_s},
  };
};

/// What became of the targets of one group: a kind, a queue, a runner or a package.
struct work_report {
  uint64_t distributed = 0; ///< Targets accepted. 0 for runners: nothing is addressed to one.
  uint64_t started = 0;     ///< Runs begun.
  uint64_t processed = 0;   ///< Targets that came to a verdict (of kind process: that succeeded).
  uint64_t failed = 0;      ///< Runs that ended without.
  uint64_t retried = 0;     ///< Runs after which another one follows.
  uint64_t dead = 0;        ///< Targets given up.
  uint64_t canceled = 0;    ///< Targets that somebody ended.
  uint64_t in_progress = 0; ///< Targets that run now.
  uint64_t waiting = 0;     ///< Targets that wait for a run now. 0 for runners.
  duration_summary spend;   ///< Of ended runs.
  duration_summary wait;    ///< From being ready to the begin of the run.
  std::map<std::string, uint64_t> results; ///< Finished targets by verdict.
  std::map<std::string, uint64_t> reasons; ///< Ended runs by reason; "none" = passed.
  caf::timestamp last_seen{};              ///< Event time of the latest event.

  static constexpr auto type_name = "troupe::work_report";
  static constexpr auto fields = std::tuple{
    field{"distributed", &work_report::distributed},
    field{"started", &work_report::started},
    field{"processed", &work_report::processed},
    field{"failed", &work_report::failed},
    field{"retried", &work_report::retried},
    field{"dead", &work_report::dead},
    field{"canceled", &work_report::canceled},
    field{"in_progress", &work_report::in_progress},
    field{"waiting", &work_report::waiting},
    field{"spend", &work_report::spend},
    field{"wait", &work_report::wait},
    field{"results", &work_report::results},
    field{"reasons", &work_report::reasons},
    field{"last_seen", &work_report::last_seen},
  };
};

/// Events per second over the latest minutes, by arrival.
struct event_rate {
  double minute = 0;
  double five_minutes = 0;
  double fifteen_minutes = 0;

  static constexpr auto type_name = "troupe::event_rate";
  static constexpr auto fields = std::tuple{
    field{"1m", &event_rate::minute},
    field{"5m", &event_rate::five_minutes},
    field{"15m", &event_rate::fifteen_minutes},
  };
};

struct work_rates {
  event_rate distributed;
  event_rate started;
  event_rate processed;
  event_rate failed;

  static constexpr auto type_name = "troupe::work_rates";
  static constexpr auto fields = std::tuple{
    field{"distributed", &work_rates::distributed},
    field{"started", &work_rates::started},
    field{"processed", &work_rates::processed},
    field{"failed", &work_rates::failed},
  };
};

/// What a processor (a runner of kind process) did.
struct processor_report {
  uint64_t processed = 0;
  uint64_t failed = 0;
  double busy_s = 0;
  caf::timestamp last_seen{};

  static constexpr auto type_name = "troupe::processor_report";
  static constexpr auto fields = std::tuple{
    field{"processed", &processor_report::processed},
    field{"failed", &processor_report::failed},
    field{"busy_s", &processor_report::busy_s},
    field{"last_seen", &processor_report::last_seen},
  };
};

/// Objects, all together.
struct objects_report {
  uint64_t completed = 0; ///< All tasks succeeded or were given up.
  uint64_t open = 0;
  double wall_avg_s = 0; ///< From creation to completion.
  duration_summary wall;

  static constexpr auto type_name = "troupe::objects_report";
  static constexpr auto fields = std::tuple{
    field{"completed", &objects_report::completed},
    field{"open", &objects_report::open},
    field{"wall_avg_s", &objects_report::wall_avg_s},
    field{"wall", &objects_report::wall},
  };
};

/// Query: everything durable now, counted.
struct get_statistics {
  uint32_t packages = 100; ///< The most recently active ones, at most 4096.

  static constexpr auto type_name = "troupe::get_statistics";
  static constexpr auto fields = std::tuple{field{"packages", &get_statistics::packages}};
};

/// Reply to `get_statistics`. The counters at the top are those of the object
/// pipeline: objects, and jobs of kind process; `kinds` has every kind.
struct statistics_report {
  uint64_t generated = 0;   ///< Objects.
  uint64_t distributed = 0; ///< Tasks; the rest as in `work_report`.
  uint64_t started = 0;
  uint64_t processed = 0;
  uint64_t in_progress = 0;
  uint64_t failed = 0;
  uint64_t retried = 0;
  uint64_t dead = 0;
  uint64_t canceled = 0;
  duration_summary spend;
  objects_report objects;
  event_rate generated_rate;
  std::map<std::string, processor_report> processors; ///< "other": those that had to make room.
  std::map<std::string, work_report> kinds;
  std::map<std::string, work_rates> rates; ///< By kind.
  std::map<std::string, work_report> queues;
  std::map<std::string, work_report> runners;
  std::map<std::string, work_report> packages; ///< Subjects of jobs of kind test.
  uint64_t repeated = 0;                       ///< Events that told what had been counted.
  uint64_t sequence = 0;                       ///< Of the last event counted.
  caf::timestamp since{};                      ///< Arrival of the first event counted.

  static constexpr auto type_name = "troupe::statistics_report";
  static constexpr auto fields = std::tuple{
    field{"generated", &statistics_report::generated},
    field{"distributed", &statistics_report::distributed},
    field{"started", &statistics_report::started},
    field{"processed", &statistics_report::processed},
    field{"in_progress", &statistics_report::in_progress},
    field{"failed", &statistics_report::failed},
    field{"retried", &statistics_report::retried},
    field{"dead", &statistics_report::dead},
    field{"canceled", &statistics_report::canceled},
    field{"spend", &statistics_report::spend},
    field{"objects", &statistics_report::objects},
    field{"generated_rate", &statistics_report::generated_rate},
    field{"processors", &statistics_report::processors},
    field{"kinds", &statistics_report::kinds},
    field{"rates", &statistics_report::rates},
    field{"queues", &statistics_report::queues},
    field{"runners", &statistics_report::runners},
    field{"packages", &statistics_report::packages},
    field{"repeated", &statistics_report::repeated},
    field{"sequence", &statistics_report::sequence},
    field{"since", &statistics_report::since},
  };
};

/// Query: one object. Errors: `ec::not_found`.
struct get_object_progress {
  uint64_t id = 0;

  static constexpr auto type_name = "troupe::get_object_progress";
  static constexpr auto fields = std::tuple{field{"id", &get_object_progress::id}};
};

/// How far one object is.
struct object_progress {
  uint64_t id = 0;
  caf::timestamp created_at{};
  uint32_t tasks_total = 0;
  uint32_t tasks_done = 0; ///< Succeeded.
  uint32_t tasks_dead = 0; ///< Given up or canceled.
  caf::timestamp completed_at{};
  double wall_s = 0; ///< From creation to completion; 0 = not complete.

  static constexpr auto type_name = "troupe::object_progress";
  static constexpr auto fields = std::tuple{
    field{"id", &object_progress::id},
    field{"created_at", &object_progress::created_at},
    field{"tasks_total", &object_progress::tasks_total},
    field{"tasks_done", &object_progress::tasks_done},
    field{"tasks_dead", &object_progress::tasks_dead},
    field{"completed_at", &object_progress::completed_at},
    field{"wall_s", &object_progress::wall_s},
  };
};

/// Query: objects in the order of their ids.
struct list_object_progress {
  std::string cursor;   ///< From the previous page; empty = the lowest id.
  uint32_t limit = 100; ///< 1..1000.

  static constexpr auto type_name = "troupe::list_object_progress";
  static constexpr auto fields = std::tuple{
    field{"cursor", &list_object_progress::cursor},
    field{"limit", &list_object_progress::limit},
  };
};

/// Reply to `list_object_progress`.
struct object_progress_page {
  std::vector<object_progress> objects;
  std::string next; ///< Cursor of the next page; empty = no more.

  static constexpr auto type_name = "troupe::object_progress_page";
  static constexpr auto fields = std::tuple{
    field{"objects", &object_progress_page::objects},
    field{"next", &object_progress_page::next},
  };
};

/// How many durations were at most so long.
struct duration_step {
  double at_most_s = 0;
  uint64_t count = 0; ///< Cumulative.

  static constexpr auto type_name = "troupe::duration_step";
  static constexpr auto fields = std::tuple{
    field{"at_most_s", &duration_step::at_most_s},
    field{"count", &duration_step::count},
  };
};

/// What one kind came to, for monitoring.
struct kind_counters {
  work_report work;
  std::vector<duration_step> spend;
  std::vector<duration_step> wait;

  static constexpr auto type_name = "troupe::kind_counters";
  static constexpr auto fields = std::tuple{
    field{"work", &kind_counters::work},
    field{"spend", &kind_counters::spend},
    field{"wait", &kind_counters::wait},
  };
};

/// Reply to `status_atom`: what is counted so far, without waiting for the journal.
struct statistics_counters {
  uint64_t sequence = 0;                  ///< Of the last event counted.
  caf::timestamp newest{};                ///< Arrival of that event.
  caf::timespan lag{0};                   ///< From an event's arrival to counting it, lately.
  std::map<std::string, uint64_t> events; ///< By topic; "other" = beyond 64 topics.
  std::map<std::string, kind_counters> kinds;
  std::map<std::string, work_report> queues;
  uint64_t generated = 0;
  uint64_t objects_open = 0;
  uint64_t objects_completed = 0;
  uint64_t repeated = 0;

  static constexpr auto type_name = "troupe::statistics_counters";
  static constexpr auto fields = std::tuple{
    field{"sequence", &statistics_counters::sequence},
    field{"newest", &statistics_counters::newest},
    field{"lag", &statistics_counters::lag},
    field{"events", &statistics_counters::events},
    field{"kinds", &statistics_counters::kinds},
    field{"queues", &statistics_counters::queues},
    field{"generated", &statistics_counters::generated},
    field{"objects_open", &statistics_counters::objects_open},
    field{"objects_completed", &statistics_counters::objects_completed},
    field{"repeated", &statistics_counters::repeated},
  };
};

} // namespace troupe
