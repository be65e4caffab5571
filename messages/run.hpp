#pragma once

#include "messages/job.hpp"

/// What passes between the ledger and runners. Source: DESIGN 3.
namespace troupe {

/// Command: give me work. The reply is durable: the runs are leased to me.
/// The sender of the request is told of cancellations (`cancel_runs`).
struct claim_runs {
  std::string runner; ///< Name, unique in the cluster.
  std::string boot;   ///< New at each start of the runner's node.
  std::string nonce;  ///< New per claim; a repeated one is answered with the same runs.
  std::vector<std::string> queues; ///< The queues that it serves.
  std::vector<std::string> capabilities;
  uint32_t max_runs = 1; ///< Free slots, 1..1024.
  caf::timespan wait{0}; ///< How long to wait for the first run, at most 30 s.

  static constexpr auto type_name = "troupe::claim_runs";
  static constexpr auto fields = std::tuple{
    field{"runner", &claim_runs::runner},
    field{"boot", &claim_runs::boot},
    field{"nonce", &claim_runs::nonce},
    field{"queues", &claim_runs::queues},
    field{"capabilities", &claim_runs::capabilities},
    field{"max_runs", &claim_runs::max_runs},
    field{"wait", &claim_runs::wait},
  };
};

/// One run to execute.
struct run_order {
  job_id job;
  uint32_t run_id = 0;
  std::string kind;
  std::string queue;
  std::string spec;          ///< A packed record of the kind.
  caf::timespan lease{0};    ///< Renew well before it is over.
  caf::timespan deadline{0}; ///< Longest time this run may take.

  static constexpr auto type_name = "troupe::run_order";
  static constexpr auto fields = std::tuple{
    field{"job_id", &run_order::job},        field{"run_id", &run_order::run_id},
    field{"kind", &run_order::kind},         field{"queue", &run_order::queue},
    field{"spec", &run_order::spec},         field{"lease", &run_order::lease},
    field{"deadline", &run_order::deadline},
  };
};

/// Reply to `claim_runs`; empty when the wait is over.
struct claimed_runs {
  std::vector<run_order> orders;

  static constexpr auto type_name = "troupe::claimed_runs";
  static constexpr auto fields = std::tuple{field{"orders", &claimed_runs::orders}};
};

/// Names one run.
struct run_key {
  job_id job;
  uint32_t run_id = 0;

  auto operator<=>(const run_key&) const = default;
  static constexpr auto type_name = "troupe::run_key";
  static constexpr auto fields = std::tuple{
    field{"job_id", &run_key::job},
    field{"run_id", &run_key::run_id},
  };
};

/// Command: these runs are still mine.
struct renew_leases {
  std::string runner;
  std::string boot;
  std::vector<run_key> runs;

  static constexpr auto type_name = "troupe::renew_leases";
  static constexpr auto fields = std::tuple{
    field{"runner", &renew_leases::runner},
    field{"boot", &renew_leases::boot},
    field{"runs", &renew_leases::runs},
  };
};

enum class lease_state : uint8_t {
  held,
  canceled, ///< Stop it now and report `reason::canceled`.
  lost,     ///< Stop it and forget it: another run has its place.
};
template <>
inline constexpr auto enum_names<lease_state> =
  std::array<std::string_view, 3>{"held", "canceled", "lost"};

/// Reply to `renew_leases`, in order.
struct lease_states {
  std::vector<lease_state> states;

  static constexpr auto type_name = "troupe::lease_states";
  static constexpr auto fields = std::tuple{field{"states", &lease_states::states}};
};

/// How one run ended.
struct run_report {
  job_id job;
  uint32_t run_id = 0;
  verdict result = verdict::none;
  reason why = reason::none;
  std::string note; ///< One sentence for people, secrets masked.
  std::vector<stage> stages;
  caf::timespan spend{0}; ///< Time that the work itself took; 0 = from start to end.
  std::string data = {};  ///< What it made, JSON of at most 64 KiB; empty = nothing.

  static constexpr auto type_name = "troupe::run_report";
  static constexpr auto fields = std::tuple{
    field{"job_id", &run_report::job},    field{"run_id", &run_report::run_id},
    field{"result", &run_report::result}, field{"reason", &run_report::why},
    field{"note", &run_report::note},     field{"stages", &run_report::stages},
    field{"spend", &run_report::spend},   field{"data", &run_report::data},
  };
};

/// Command: these runs have ended. Repeating it is harmless.
struct finish_runs {
  std::string runner;
  std::string boot;
  std::vector<run_report> reports; ///< At most 1024.

  static constexpr auto type_name = "troupe::finish_runs";
  static constexpr auto fields = std::tuple{
    field{"runner", &finish_runs::runner},
    field{"boot", &finish_runs::boot},
    field{"reports", &finish_runs::reports},
  };
};

enum class finish_outcome : uint8_t {
  accepted, ///< Durable.
  refused,  ///< The lease was lost: another run has its place.
};
template <>
inline constexpr auto enum_names<finish_outcome> =
  std::array<std::string_view, 2>{"accepted", "refused"};

/// Reply to `finish_runs`, in order.
struct finish_outcomes {
  std::vector<finish_outcome> outcomes;

  static constexpr auto type_name = "troupe::finish_outcomes";
  static constexpr auto fields = std::tuple{field{"outcomes", &finish_outcomes::outcomes}};
};

/// Runs of jobs in this queue are not claimed: processors outside of Troupe take
/// them from a broker and report (`outside_report`).
inline constexpr auto outside_queue = std::string_view{"outside"};

enum class outside_word : uint8_t { start, end, fail };
template <>
inline constexpr auto enum_names<outside_word> =
  std::array<std::string_view, 3>{"start", "end", "fail"};

/// Command: what an outside processor says of a job's run. Repeating it is harmless.
struct outside_report {
  job_id job;
  std::string processor; ///< Becomes the run's runner.
  outside_word word = outside_word::start;
  uint32_t attempt = 0;   ///< The run's number plus one; 0 = it does not say.
  caf::timespan spend{0}; ///< 0 = it does not say.
  std::string note;       ///< Why it failed.
  std::string data;       ///< JSON; empty = none.

  static constexpr auto type_name = "troupe::outside_report";
  static constexpr auto fields = std::tuple{
    field{"job_id", &outside_report::job},  field{"processor", &outside_report::processor},
    field{"word", &outside_report::word},   field{"attempt", &outside_report::attempt},
    field{"spend", &outside_report::spend}, field{"note", &outside_report::note},
    field{"data", &outside_report::data},
  };
};

enum class report_outcome : uint8_t {
  taken,     ///< It changed something; durable.
  repeated,  ///< It is known.
  late,      ///< The run that it speaks of is over.
  not_yours, ///< The job is not one of outside processors.
  unknown,   ///< There is no such unfinished job.
};
template <>
inline constexpr auto enum_names<report_outcome> =
  std::array<std::string_view, 5>{"taken", "repeated", "late", "not-yours", "unknown"};

/// Reply to `outside_report` and `task_report`.
struct report_answer {
  report_outcome outcome = report_outcome::taken;

  static constexpr auto type_name = "troupe::report_answer";
  static constexpr auto fields = std::tuple{field{"outcome", &report_answer::outcome}};
};

/// A stage of a run started or ended.
struct stage_report {
  job_id job;
  uint32_t run_id = 0;
  stage step;

  static constexpr auto type_name = "troupe::stage_report";
  static constexpr auto fields = std::tuple{
    field{"job_id", &stage_report::job},
    field{"run_id", &stage_report::run_id},
    field{"stage", &stage_report::step},
  };
};

/// Command: progress of runs that are mine; answered when durable. Stale ones are dropped.
struct report_stages {
  std::string runner;
  std::string boot;
  std::vector<stage_report> reports;

  static constexpr auto type_name = "troupe::report_stages";
  static constexpr auto fields = std::tuple{
    field{"runner", &report_stages::runner},
    field{"boot", &report_stages::boot},
    field{"reports", &report_stages::reports},
  };
};

/// To a runner: stop these runs now.
struct cancel_runs {
  std::vector<run_key> runs;

  static constexpr auto type_name = "troupe::cancel_runs";
  static constexpr auto fields = std::tuple{field{"runs", &cancel_runs::runs}};
};

/// What a runner says of itself, at start, on change, and every 10 s.
struct runner_status {
  std::string runner;
  std::string boot;
  std::string driver;
  std::vector<std::string> queues;
  std::vector<std::string> capabilities;
  uint32_t slots = 0;
  uint32_t busy = 0;
  std::string broken; ///< Why it claims nothing; empty = ready.
  bool draining = false;
  caf::timestamp seen_at{}; ///< Filled by the ledger.
  bool live = true;         ///< Filled by the ledger.

  static constexpr auto type_name = "troupe::runner_status";
  static constexpr auto fields = std::tuple{
    field{"runner", &runner_status::runner},
    field{"boot", &runner_status::boot},
    field{"driver", &runner_status::driver},
    field{"queues", &runner_status::queues},
    field{"capabilities", &runner_status::capabilities},
    field{"slots", &runner_status::slots},
    field{"busy", &runner_status::busy},
    field{"broken", &runner_status::broken},
    field{"draining", &runner_status::draining},
    field{"seen_at", &runner_status::seen_at},
    field{"live", &runner_status::live},
  };
};

/// Reply to `list_runners_atom`, ordered by name.
struct runner_list {
  std::vector<runner_status> runners;

  static constexpr auto type_name = "troupe::runner_list";
  static constexpr auto fields = std::tuple{field{"runners", &runner_list::runners}};
};

/// How much waits and runs in one queue.
struct queue_status {
  std::string queue;
  uint64_t queued = 0; ///< Includes those that wait for a retry.
  uint64_t running = 0;
  uint64_t slots = 0; ///< Of live, ready runners that serve it.

  static constexpr auto type_name = "troupe::queue_status";
  static constexpr auto fields = std::tuple{
    field{"queue", &queue_status::queue},
    field{"queued", &queue_status::queued},
    field{"running", &queue_status::running},
    field{"slots", &queue_status::slots},
  };
};

/// Reply to `list_queues_atom`, ordered by name.
struct queue_list {
  std::vector<queue_status> queues;

  static constexpr auto type_name = "troupe::queue_list";
  static constexpr auto fields = std::tuple{field{"queues", &queue_list::queues}};
};

} // namespace troupe
