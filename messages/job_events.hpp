#pragma once

#include "messages/event.hpp"
#include "messages/run.hpp"

/// The events of the job ledger: each is the payload of one journal event, its
/// topic stands beside it. Job state, live or historic, is a fold over them.
namespace troupe {

/// Event: a job was accepted.
struct job_queued {
  static constexpr auto topic = "job.queued";
  job_id job;
  submit_job what; ///< Without `request_id` and `request_digest`.

  static constexpr auto type_name = "troupe::job_queued";
  static constexpr auto fields = std::tuple{
    field{"job_id", &job_queued::job},
    field{"job", &job_queued::what},
  };
};

/// Event: a run began under a lease.
struct run_started {
  static constexpr auto topic = "job.run_started";
  job_id job;
  uint32_t run_id = 0;
  std::string runner;
  std::string boot;
  std::string nonce;
  std::string kind =
    {}; ///< Of the job, as are the next two: who follows the journal needs no lookup.
  std::string queue = {};
  std::string subject = {};
  caf::timestamp queued_at{}; ///< Since when the job waited for this run.
  std::string node = {};      ///< Whose runner it is.

  static constexpr auto type_name = "troupe::run_started";
  static constexpr auto fields = std::tuple{
    field{"job_id", &run_started::job},          field{"run_id", &run_started::run_id},
    field{"runner", &run_started::runner},       field{"boot", &run_started::boot},
    field{"nonce", &run_started::nonce},         field{"kind", &run_started::kind},
    field{"queue", &run_started::queue},         field{"subject", &run_started::subject},
    field{"queued_at", &run_started::queued_at}, field{"node", &run_started::node},
  };
};

/// Event: a stage of a run started or ended.
struct run_progressed {
  static constexpr auto topic = "job.run_progressed";
  job_id job;
  uint32_t run_id = 0;
  stage step;

  static constexpr auto type_name = "troupe::run_progressed";
  static constexpr auto fields = std::tuple{
    field{"job_id", &run_progressed::job},
    field{"run_id", &run_progressed::run_id},
    field{"stage", &run_progressed::step},
  };
};

/// Event: a run ended; either the job is finished with it, or it waits for the next run.
struct run_finished {
  static constexpr auto topic = "job.run_finished";
  job_id job;
  uint32_t run_id = 0;
  verdict result = verdict::none;
  reason why = reason::none;
  std::string note;
  std::vector<stage> stages;
  bool final = true;         ///< The job is finished with this result.
  bool counted = true;       ///< Uses up one retry (if not final).
  caf::timestamp retry_at{}; ///< Not claimed before (if not final).
  std::string avoid;         ///< Runner that should not get the next run.
  std::string kind = {};     ///< Of the job, as are the next two.
  std::string queue = {};
  std::string subject = {};
  std::string runner = {};     ///< Which had the run.
  caf::timestamp started_at{}; ///< When the run began.
  caf::timespan spend{0};      ///< Time that the work itself took; 0 = from start to end.
  std::string data = {};       ///< What the run made, JSON; empty = nothing.

  static constexpr auto type_name = "troupe::run_finished";
  static constexpr auto fields = std::tuple{
    field{"job_id", &run_finished::job},
    field{"run_id", &run_finished::run_id},
    field{"result", &run_finished::result},
    field{"reason", &run_finished::why},
    field{"note", &run_finished::note},
    field{"stages", &run_finished::stages},
    field{"final", &run_finished::final},
    field{"counted", &run_finished::counted},
    field{"retry_at", &run_finished::retry_at},
    field{"avoid", &run_finished::avoid},
    field{"kind", &run_finished::kind},
    field{"queue", &run_finished::queue},
    field{"subject", &run_finished::subject},
    field{"runner", &run_finished::runner},
    field{"started_at", &run_finished::started_at},
    field{"spend", &run_finished::spend},
    field{"data", &run_finished::data},
  };
};

/// Event: the backoff of a job of `outside_queue` is over; its next run is to be published.
struct job_requeued {
  static constexpr auto topic = "job.requeued";
  job_id job;
  uint32_t run_id = 0; ///< Of the next run.
  std::string kind;
  std::string queue;
  std::string subject;
  std::string spec;

  static constexpr auto type_name = "troupe::job_requeued";
  static constexpr auto fields = std::tuple{
    field{"job_id", &job_requeued::job},      field{"run_id", &job_requeued::run_id},
    field{"kind", &job_requeued::kind},       field{"queue", &job_requeued::queue},
    field{"subject", &job_requeued::subject}, field{"spec", &job_requeued::spec},
  };
};

/// Event: somebody wants a running job to end.
struct cancel_requested {
  static constexpr auto topic = "job.cancel_requested";
  job_id job;
  std::string by;

  static constexpr auto type_name = "troupe::cancel_requested";
  static constexpr auto fields = std::tuple{
    field{"job_id", &cancel_requested::job},
    field{"by", &cancel_requested::by},
  };
};

/// Event: a job ended without a run in progress (canceled in the queue, queue deadline).
struct job_closed {
  static constexpr auto topic = "job.closed";
  job_id job;
  verdict result = verdict::none;
  reason why = reason::none;
  std::string note;
  std::string kind = {}; ///< Of the job, as are the next two.
  std::string queue = {};
  std::string subject = {};
  caf::timestamp queued_at{}; ///< Since when the job waited for its next run.

  static constexpr auto type_name = "troupe::job_closed";
  static constexpr auto fields = std::tuple{
    field{"job_id", &job_closed::job},      field{"result", &job_closed::result},
    field{"reason", &job_closed::why},      field{"note", &job_closed::note},
    field{"kind", &job_closed::kind},       field{"queue", &job_closed::queue},
    field{"subject", &job_closed::subject}, field{"queued_at", &job_closed::queued_at},
  };
};

/// Event: a ledger took over; job events of earlier epochs after this one do not count.
struct ledger_opened {
  static constexpr auto topic = "job.ledger_opened";
  uint64_t epoch = 0;

  static constexpr auto type_name = "troupe::ledger_opened";
  static constexpr auto fields = std::tuple{field{"epoch", &ledger_opened::epoch}};
};

/// Returns the journal event of one of the records above.
template <record T>
event make_event(const T& x, caf::timestamp time) {
  return {T::topic, time, pack(x)};
}

/// Query of a starting ledger: unfinished jobs after an id, in order of ids.
struct read_live_jobs {
  job_id after;
  uint32_t max_jobs = 4096;

  static constexpr auto type_name = "troupe::read_live_jobs";
  static constexpr auto fields = std::tuple{
    field{"after", &read_live_jobs::after},
    field{"max_jobs", &read_live_jobs::max_jobs},
  };
};

/// Reply to `read_live_jobs`: per job its events in order; empty = no more.
struct live_job {
  job_id job;
  std::vector<stored_event> events;

  static constexpr auto type_name = "troupe::live_job";
  static constexpr auto fields = std::tuple{
    field{"job_id", &live_job::job},
    field{"events", &live_job::events},
  };
};

struct live_jobs {
  std::vector<live_job> jobs;

  static constexpr auto type_name = "troupe::live_jobs";
  static constexpr auto fields = std::tuple{field{"jobs", &live_jobs::jobs}};
};

} // namespace troupe
