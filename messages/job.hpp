#pragma once

#include "messages/artifact.hpp"
#include "messages/event.hpp"
#include "messages/reason.hpp"

#include <caf/timestamp.hpp>

#include <map>
#include <optional>
#include <string>
#include <vector>

/// Jobs as callers see them. Source: DESIGN 3, spec/testing.md 6.
namespace troupe {

using labels = std::map<std::string, std::string>;

/// Command: accept a job. Kind-specific data is opaque to the ledger.
struct submit_job {
  std::string kind;                      ///< "test", "sync", "process", ...
  std::string queue;                     ///< "<runner>-<arch>-<cost>" for tests.
  int32_t priority = 5;                  ///< 1..10, higher first.
  std::vector<std::string> capabilities; ///< A runner must offer all of them.
  std::string subject;                   ///< What the job is about, e.g. the package name.
  labels tags;                           ///< For filters and people, e.g. dist, arch.
  std::string owner;                     ///< Who submitted it.
  std::string spec;                      ///< A packed record of the kind.
  uint32_t retries = 3;                  ///< Runs beyond the first for infrastructure errors.
  bool retry_on_timeout = false;
  caf::timespan queue_deadline{std::chrono::hours{24}}; ///< Longest time without a run.
  caf::timespan run_deadline{std::chrono::hours{2}};    ///< Longest time of one run.
  std::string request_id;      ///< Idempotency key with its source; empty = none.
  uint64_t request_digest = 0; ///< Hash of the request's body.
  std::optional<job_id> retry_of;
  caf::timespan retry_base{0}; ///< Backoff before the second run, doubled for each further one;
                               ///< 0 = the ledger's.

  static constexpr auto type_name = "troupe::submit_job";
  static constexpr auto fields = std::tuple{
    field{"kind", &submit_job::kind},
    field{"queue", &submit_job::queue},
    field{"priority", &submit_job::priority},
    field{"capabilities", &submit_job::capabilities},
    field{"subject", &submit_job::subject},
    field{"tags", &submit_job::tags},
    field{"owner", &submit_job::owner},
    field{"spec", &submit_job::spec},
    field{"retries", &submit_job::retries},
    field{"retry_on_timeout", &submit_job::retry_on_timeout},
    field{"queue_deadline", &submit_job::queue_deadline},
    field{"run_deadline", &submit_job::run_deadline},
    field{"request_id", &submit_job::request_id},
    field{"request_digest", &submit_job::request_digest},
    field{"retry_of", &submit_job::retry_of},
    field{"retry_base", &submit_job::retry_base},
  };
};

/// Command: accept many jobs, all or none.
struct submit_jobs {
  std::vector<submit_job> jobs;   ///< At most 1024; without ids of their own.
  std::string request_id = {};    ///< Idempotency key of them all; empty = none.
  uint64_t request_digest = 0;    ///< Hash of the request.
  std::vector<event> events = {}; ///< Stand before the jobs in the same append; at most 64.

  static constexpr auto type_name = "troupe::submit_jobs";
  static constexpr auto fields = std::tuple{
    field{"jobs", &submit_jobs::jobs},
    field{"request_id", &submit_jobs::request_id},
    field{"request_digest", &submit_jobs::request_digest},
    field{"events", &submit_jobs::events},
  };
};

/// Reply: the job is durable.
struct job_accepted {
  job_id job;
  bool repeated = false; ///< The request id was seen before; this is the first one's job.

  static constexpr auto type_name = "troupe::job_accepted";
  static constexpr auto fields = std::tuple{
    field{"job_id", &job_accepted::job},
    field{"repeated", &job_accepted::repeated},
  };
};

/// Reply to `submit_jobs`, in order.
struct jobs_accepted {
  std::vector<job_accepted> jobs;

  static constexpr auto type_name = "troupe::jobs_accepted";
  static constexpr auto fields = std::tuple{field{"jobs", &jobs_accepted::jobs}};
};

enum class job_state : uint8_t { queued, running, finished };
template <>
inline constexpr auto enum_names<job_state> =
  std::array<std::string_view, 3>{"queued", "running", "finished"};

/// One step of a run.
struct stage {
  std::string name; ///< "install_package", "tests.package_integrity_tests", ...
  bool finished = false;
  bool success = false;
  int32_t exit_code = 0;
  caf::timestamp started_at{};
  caf::timestamp finished_at{};
  reason why = reason::none;
  std::string note;   ///< One sentence for people, secrets masked.
  std::string output; ///< TAP of test stages, at most 64 KiB.
  std::optional<artifact_ref> log;

  static constexpr auto type_name = "troupe::stage";
  static constexpr auto fields = std::tuple{
    field{"name", &stage::name},
    field{"finished", &stage::finished},
    field{"success", &stage::success},
    field{"exit_code", &stage::exit_code},
    field{"started_at", &stage::started_at},
    field{"finished_at", &stage::finished_at},
    field{"reason", &stage::why},
    field{"note", &stage::note},
    field{"output", &stage::output},
    field{"log", &stage::log},
  };
};

/// One attempt of a job.
struct run {
  uint32_t run_id = 0;
  std::string runner;
  caf::timestamp started_at{};
  caf::timestamp finished_at{};
  verdict result = verdict::none;
  reason why = reason::none;
  std::string note;
  std::vector<stage> stages;

  static constexpr auto type_name = "troupe::run";
  static constexpr auto fields = std::tuple{
    field{"run_id", &run::run_id},
    field{"runner", &run::runner},
    field{"started_at", &run::started_at},
    field{"finished_at", &run::finished_at},
    field{"result", &run::result},
    field{"reason", &run::why},
    field{"note", &run::note},
    field{"stages", &run::stages},
  };
};

/// A job as the history knows it.
struct job_view {
  job_id job;
  std::string kind;
  std::string queue;
  int32_t priority = 5;
  std::string subject;
  labels tags;
  std::string owner;
  job_state state = job_state::queued;
  verdict result = verdict::none;
  reason why = reason::none;
  std::string note;
  caf::timestamp created_at{};
  caf::timestamp finished_at{};
  bool cancel_requested = false;
  std::optional<job_id> retry_of;
  std::vector<run> runs;
  uint64_t version = 0; ///< Sequence of the last event that changed it.
  std::vector<std::string> capabilities;
  std::string spec;     ///< Packed; not shown as JSON.
  uint32_t retries = 3; ///< As submitted, like the next four.
  bool retry_on_timeout = false;
  caf::timespan queue_deadline{0};
  caf::timespan run_deadline{0};
  caf::timespan retry_base{0};

  static constexpr auto type_name = "troupe::job_view";
  static constexpr auto fields = std::tuple{
    field{"job_id", &job_view::job},
    field{"kind", &job_view::kind},
    field{"queue", &job_view::queue},
    field{"priority", &job_view::priority},
    field{"subject", &job_view::subject},
    field{"tags", &job_view::tags},
    field{"owner", &job_view::owner},
    field{"state", &job_view::state},
    field{"result", &job_view::result},
    field{"reason", &job_view::why},
    field{"note", &job_view::note},
    field{"created_at", &job_view::created_at},
    field{"finished_at", &job_view::finished_at},
    field{"cancel_requested", &job_view::cancel_requested},
    field{"retry_of", &job_view::retry_of},
    field{"runs", &job_view::runs},
    field{"version", &job_view::version},
    field{"capabilities", &job_view::capabilities},
    field{"spec", &job_view::spec, {.secret = true}},
    field{"retries", &job_view::retries},
    field{"retry_on_timeout", &job_view::retry_on_timeout},
    field{"queue_deadline", &job_view::queue_deadline},
    field{"run_deadline", &job_view::run_deadline},
    field{"retry_base", &job_view::retry_base},
  };
};

/// Query: one job. Errors: `ec::not_found`.
struct get_job {
  job_id job;
  uint64_t newer_than = 0; ///< Wait until `version` is larger ...
  caf::timespan wait{0};   ///< ... at most this long (30 s), then answer what is.

  static constexpr auto type_name = "troupe::get_job";
  static constexpr auto fields = std::tuple{
    field{"job_id", &get_job::job},
    field{"newer_than", &get_job::newer_than},
    field{"wait", &get_job::wait},
  };
};

/// Query: jobs, newest first. Empty filters match everything.
struct list_jobs {
  std::optional<job_state> state;
  std::optional<verdict> result;
  std::string kind;
  std::string queue;
  std::string subject; ///< Exact.
  std::string owner;
  labels tags;         ///< All must match exactly.
  std::string cursor;  ///< From the previous page; empty = newest.
  uint32_t limit = 50; ///< 1..1000.

  static constexpr auto type_name = "troupe::list_jobs";
  static constexpr auto fields = std::tuple{
    field{"state", &list_jobs::state},     field{"result", &list_jobs::result},
    field{"kind", &list_jobs::kind},       field{"queue", &list_jobs::queue},
    field{"subject", &list_jobs::subject}, field{"owner", &list_jobs::owner},
    field{"tags", &list_jobs::tags},       field{"cursor", &list_jobs::cursor},
    field{"limit", &list_jobs::limit},
  };
};

/// Reply to `list_jobs`; runs come without stages.
struct job_page {
  std::vector<job_view> jobs;
  std::string next; ///< Cursor of the next page; empty = no more.

  static constexpr auto type_name = "troupe::job_page";
  static constexpr auto fields = std::tuple{
    field{"jobs", &job_page::jobs},
    field{"next", &job_page::next},
  };
};

/// Command: end a job. Canceling twice answers the same.
struct cancel_job {
  job_id job;
  std::string by;

  static constexpr auto type_name = "troupe::cancel_job";
  static constexpr auto fields = std::tuple{
    field{"job_id", &cancel_job::job},
    field{"by", &cancel_job::by},
  };
};

/// Command: the same job again, as a new one. Errors: `ec::not_found`, `ec::conflict` (not
/// finished).
struct retry_job {
  job_id job;
  std::string by;
  std::string request_id = {}; ///< Idempotency key; empty = none.
  uint64_t request_digest = 0; ///< Hash of the request.

  static constexpr auto type_name = "troupe::retry_job";
  static constexpr auto fields = std::tuple{
    field{"job_id", &retry_job::job},
    field{"by", &retry_job::by},
    field{"request_id", &retry_job::request_id},
    field{"request_digest", &retry_job::request_digest},
  };
};

/// Reply to `cancel_job`: what the job was at that moment.
struct job_status {
  job_id job;
  job_state state = job_state::queued;
  verdict result = verdict::none;

  static constexpr auto type_name = "troupe::job_status";
  static constexpr auto fields = std::tuple{
    field{"job_id", &job_status::job},
    field{"state", &job_status::state},
    field{"result", &job_status::result},
  };
};

} // namespace troupe
