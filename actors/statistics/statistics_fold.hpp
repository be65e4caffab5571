#pragma once

#include "actors/projection/projection.hpp"
#include "actors/projection/projection_table.hpp"
#include "actors/statistics/counted_rows.hpp"
#include "actors/statistics/group_table.hpp"
#include "actors/statistics/kept_rows.hpp"
#include "actors/statistics/rate_ring.hpp"
#include "messages/job_events.hpp"

#include <map>
#include <memory>
#include <string>

namespace troupe {

/// How much the statistics remember. A change makes what was counted before unequal
/// to what a rebuild counts, so these are no configuration.
struct statistics_limits {
  uint64_t closed_targets = uint64_t{1} << 20; ///< A repeat of their events is recognized.
  uint64_t objects = uint64_t{1} << 20;        ///< The oldest beyond are forgotten.
  size_t kinds = 32;
  size_t queues = 256;
  size_t runners = 512;
  size_t packages = 4096;
  size_t topics = 64;
};

/// How far the statistics have come, and what is counted once.
struct statistics_mark {
  uint64_t sequence = 0; ///< Of the last event applied.
  uint64_t epoch = 0;    ///< Of the latest ledger; job events of earlier ones do not count.
  caf::timestamp since{};
  caf::timestamp newest{};
  job_id newest_target;
  uint64_t newest_object = 0;
  uint64_t targets_closed = 0;
  uint64_t targets_erased = 0;
  uint64_t objects_known = 0;
  uint64_t objects_erased = 0;
  uint64_t generated = 0;
  uint64_t completed = 0;
  uint64_t open = 0;
  uint64_t repeated = 0;
  uint64_t unreadable = 0;
  std::string wall;
  std::string generated_rate;
  std::map<std::string, std::vector<std::string>> rates; ///< By kind, as in `kind_rates`.
  std::map<std::string, uint64_t> events;                ///< By topic.

  static constexpr auto type_name = "troupe::statistics_mark";
  static constexpr auto fields = std::tuple{
    field{"sequence", &statistics_mark::sequence},
    field{"epoch", &statistics_mark::epoch},
    field{"since", &statistics_mark::since},
    field{"newest", &statistics_mark::newest},
    field{"newest_target", &statistics_mark::newest_target},
    field{"newest_object", &statistics_mark::newest_object},
    field{"targets_closed", &statistics_mark::targets_closed},
    field{"targets_erased", &statistics_mark::targets_erased},
    field{"objects_known", &statistics_mark::objects_known},
    field{"objects_erased", &statistics_mark::objects_erased},
    field{"generated", &statistics_mark::generated},
    field{"completed", &statistics_mark::completed},
    field{"open", &statistics_mark::open},
    field{"repeated", &statistics_mark::repeated},
    field{"unreadable", &statistics_mark::unreadable},
    field{"wall", &statistics_mark::wall},
    field{"generated_rate", &statistics_mark::generated_rate},
    field{"rates", &statistics_mark::rates},
    field{"events", &statistics_mark::events},
  };
};

/// Rates of one kind.
struct kind_rates {
  rate_ring distributed;
  rate_ring started;
  rate_ring processed;
  rate_ring failed;
};

/// Counts what the journal tells: a projection in one ordered table, equal to the byte
/// to what a rebuild makes. Source: spec/pipeline.md 3.5, docs/statistics.md.
///
/// key                  | value
/// ---------------------|--------------------------------------------------------------
/// "m"                  | `statistics_mark`
/// "gk" "gq" "gr" "gx" "gp" + name | `tally` of a kind, queue, runner, processor, package
/// "t" job              | `counted_target`
/// "c" ordinal          | job: closed targets in their order
/// "o" object id        | `counted_object`
/// "n" ordinal          | object id: objects in their order
///
/// Threads: one at a time. Calls may block on the disk.
class statistics_fold final : public projection {
public:
  explicit statistics_fold(std::shared_ptr<projection_table> table, statistics_limits limits = {});

  caf::error open() override;
  uint64_t applied() const override {
    return mark_.sequence;
  }
  caf::error apply(const event_batch& batch) override;
  caf::error keep_mark() override;
  void skip_to(uint64_t sequence) override;

  statistics_report report(const get_statistics& query, caf::timestamp now) const;
  /// Errors: `ec::not_found`.
  caf::expected<object_progress> find(uint64_t object) const;
  /// Errors: `ec::invalid_argument` (cursor).
  caf::expected<object_progress_page> list(const list_object_progress& query) const;
  statistics_counters counters() const;

private:
  /// What an event says of the job that it is about.
  struct about {
    std::string_view kind;
    std::string_view queue;
    std::string_view subject;
  };

  caf::error fold(const stored_event& x);
  caf::error job_event(const stored_event& x);
  caf::error object_event(const stored_event& x);
  caf::error queued(const job_id& job, const about& what, const stored_event& x);
  caf::error started(const run_started& what, const stored_event& x);
  caf::error finished(const run_finished& what, const stored_event& x);
  caf::error closed(const job_closed& what, const stored_event& x);

  caf::expected<counted_target*> target(const job_id& job, const about& what);
  template <class F>
  void count(const counted_target& it, std::string_view runner, const stored_event& x, F change);
  kind_rates& rates_of(const counted_target& it);
  void set_waiting(counted_target& it, bool on, const stored_event& x);
  void set_running(counted_target& it, bool on, const stored_event& x);
  caf::error close(const job_id& job, counted_target& it, verdict result, std::string_view runner,
                   const stored_event& x);

  caf::expected<counted_object*> object(uint64_t id);
  caf::error task_queued(const counted_target& it, const stored_event& x);
  caf::error task_closed(const counted_target& it, bool done, const stored_event& x);
  void settle(counted_object& it, bool was_complete, caf::timestamp time);
  void repeat() {
    ++mark_.repeated;
  }
  caf::error save();

  std::shared_ptr<projection_table> table_;
  statistics_limits limits_;
  statistics_mark mark_;
  duration_sketch wall_;
  rate_ring generated_rate_;
  group_table kinds_;
  group_table queues_;
  group_table runners_;
  group_table processors_;
  group_table packages_;
  std::map<std::string, kind_rates, std::less<>> rates_;
  kept_rows<job_id, counted_target> targets_;
  kept_rows<uint64_t, counted_object> objects_;
};

} // namespace troupe
