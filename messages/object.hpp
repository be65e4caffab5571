#pragma once

#include "messages/event.hpp"
#include "messages/job.hpp"

#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// Objects and their tasks: the pipeline of EBS. Source: spec/pipeline.md.
///
/// A task is a job of kind "process". Its id on the wire is the job's id as 32
/// hexadecimal digits, unless an outside distributor gave it one; its attempt is
/// the run's number plus one, its processor the runner of the run.
namespace troupe {

/// Kind of the jobs that are tasks of objects.
inline constexpr auto process_kind = std::string_view{"process"};

/// What people and programs send through the pipeline.
struct object {
  uint64_t id = 0;
  std::string name;
  std::string content;

  bool operator==(const object&) const = default;
  static constexpr auto type_name = "troupe::object";
  static constexpr auto fields = std::tuple{
    field{"id", &object::id},
    field{"name", &object::name},
    field{"content", &object::content},
  };
};

/// What a task has to process: the spec of its job.
struct process_spec {
  object what;
  uint32_t index = 0; ///< Place among the tasks of its object, from 0.
  uint32_t count = 0; ///< Tasks of the object; 0 = an outside distributor knows.
  std::string task;   ///< Its id on the wire, if it is not the job's.

  static constexpr auto type_name = "troupe::process_spec";
  static constexpr auto fields = std::tuple{
    field{"object", &process_spec::what},
    field{"index", &process_spec::index},
    field{"count", &process_spec::count},
    field{"task", &process_spec::task},
  };
};

/// What the subject of a task's job says: "OBJECT" or "OBJECT/TASK".
struct task_subject {
  uint64_t object = 0;
  std::string task; ///< The id that an outside distributor gave; empty = the job's.
};

/// Returns the subject of a task's job.
std::string to_subject(const task_subject& x);
/// Reads such a subject.
std::optional<task_subject> parse_task_subject(std::string_view text);
/// Returns a job's id as a task's: 32 hexadecimal digits.
std::string to_task_id(const job_id& job);
/// Reads the 32 digits, or the 36-character form.
std::optional<job_id> parse_task_id(std::string_view text);
/// Returns the id on the wire of a task's job.
std::string task_id_of(const job_id& job, std::string_view subject);

/// Event: an object exists; the `job.queued` of its tasks are in the same append.
struct object_created {
  static constexpr auto topic = "object.created";
  object what;
  uint32_t tasks = 0;               ///< Tasks that were made with it.
  std::string source;               ///< Where it came from: "http", "amqp", ...
  std::string owner;                ///< Who made it.
  std::optional<uint64_t> given_id; ///< The id that its producer gave, if it was taken.

  static constexpr auto type_name = "troupe::object_created";
  static constexpr auto fields = std::tuple{
    field{"object", &object_created::what},       field{"tasks", &object_created::tasks},
    field{"source", &object_created::source},     field{"owner", &object_created::owner},
    field{"given_id", &object_created::given_id},
  };
};

/// Event: ids below this one may be in use; whoever comes next begins there.
struct object_ids_reserved {
  static constexpr auto topic = "object.ids_reserved";
  uint64_t below = 0;

  static constexpr auto type_name = "troupe::object_ids_reserved";
  static constexpr auto fields = std::tuple{field{"below", &object_ids_reserved::below}};
};

/// Event: these dead tasks are no longer listed.
struct object_tasks_purged {
  static constexpr auto topic = "object.tasks_purged";
  std::vector<job_id> jobs;
  std::string by;

  static constexpr auto type_name = "troupe::object_tasks_purged";
  static constexpr auto fields = std::tuple{
    field{"jobs", &object_tasks_purged::jobs},
    field{"by", &object_tasks_purged::by},
  };
};

/// Command: make an object and its tasks, together. Errors: those of `submit_jobs`.
struct create_object {
  std::string name;    ///< Empty = a random word.
  std::string content; ///< Empty = random words.
  std::string source;
  std::string owner;
  std::optional<uint64_t> given_id; ///< Kept if it is below 1024 and free.
  std::string request_id;           ///< Idempotency key; empty = none.
  uint64_t request_digest = 0;

  static constexpr auto type_name = "troupe::create_object";
  static constexpr auto fields = std::tuple{
    field{"name", &create_object::name, {.doc = "One line.", .pattern = "line", .max_size = 256}},
    field{"content", &create_object::content, {.doc = "Any text.", .max_size = 65536}},
    field{"source", &create_object::source},
    field{"owner", &create_object::owner},
    field{"given_id", &create_object::given_id},
    field{"request_id", &create_object::request_id},
    field{"request_digest", &create_object::request_digest},
  };
};

/// Command: take a task that an outside distributor made. Reply: its job.
struct take_task {
  object what;
  std::string task; ///< Its id on the wire, a word.
  std::string source;
  std::string request_id; ///< Idempotency key; empty = none.
  uint64_t request_digest = 0;

  static constexpr auto type_name = "troupe::take_task";
  static constexpr auto fields = std::tuple{
    field{"object", &take_task::what},
    field{"task", &take_task::task},
    field{"source", &take_task::source},
    field{"request_id", &take_task::request_id},
    field{"request_digest", &take_task::request_digest},
  };
};

enum class task_report_type : uint8_t { start, end, fail };
template <>
inline constexpr auto enum_names<task_report_type> =
  std::array<std::string_view, 3>{"START_PROCESSING", "END_PROCESSING", "FAIL_PROCESSING"};

/// Command: what an outside processor says of a task. Repeating it is harmless.
struct task_report {
  std::string task;      ///< As on the wire.
  std::string processor; ///< A name without blanks.
  task_report_type type = task_report_type::start;
  uint32_t attempt = 0;   ///< 0 = it does not say.
  caf::timespan spend{0}; ///< 0 = it does not say.
  std::string error;      ///< Of a failure.
  std::string data;       ///< Result, JSON; empty = none.
  std::string source;

  static constexpr auto type_name = "troupe::task_report";
  static constexpr auto fields = std::tuple{
    field{"target", &task_report::task},         field{"processor", &task_report::processor},
    field{"type", &task_report::type},           field{"attempt", &task_report::attempt},
    field{"spend_seconds", &task_report::spend}, field{"error", &task_report::error},
    field{"data", &task_report::data},           field{"source", &task_report::source},
  };
};

enum class task_state : uint8_t {
  queued,
  running,
  waiting, ///< Failed or abandoned; the next attempt comes after a backoff.
  done,
  dead, ///< No attempt is left; it can be retried by hand.
  canceled,
  purged, ///< Was dead.
};
template <>
inline constexpr auto enum_names<task_state> = std::array<std::string_view, 7>{
  "queued", "running", "waiting", "done", "dead", "canceled", "purged"};

/// A task as callers see it.
struct object_task {
  std::string id; ///< As on the wire.
  job_id job;
  uint64_t object = 0;
  uint32_t index = 0;
  task_state state = task_state::queued;
  uint32_t attempt = 0;  ///< Of the latest run, from 1; 0 = none yet.
  std::string processor; ///< Of the latest run.
  std::string error;     ///< Of the latest run that failed.
  std::string data;      ///< Result, JSON.
  caf::timespan spend{0};
  caf::timestamp created_at{};
  caf::timestamp started_at{};
  caf::timestamp finished_at{};
  caf::timestamp retry_at{}; ///< While waiting.

  static constexpr auto type_name = "troupe::object_task";
  static constexpr auto fields = std::tuple{
    field{"id", &object_task::id},
    field{"job_id", &object_task::job},
    field{"object_id", &object_task::object},
    field{"index", &object_task::index},
    field{"state", &object_task::state},
    field{"attempt", &object_task::attempt},
    field{"processor", &object_task::processor},
    field{"error", &object_task::error},
    field{"data", &object_task::data},
    field{"spend_seconds", &object_task::spend},
    field{"created_at", &object_task::created_at},
    field{"started_at", &object_task::started_at},
    field{"finished_at", &object_task::finished_at},
    field{"retry_at", &object_task::retry_at},
  };
};

enum class object_state : uint8_t {
  open,
  completed, ///< All tasks are done.
  failed,    ///< Every task has ended, and not all are done.
};
template <>
inline constexpr auto enum_names<object_state> =
  std::array<std::string_view, 3>{"open", "completed", "failed"};

/// An object with its tasks.
struct object_view {
  uint64_t id = 0;
  std::string name;
  std::string content;
  object_state state = object_state::open;
  uint32_t tasks_total = 0;
  uint32_t tasks_done = 0;
  std::vector<object_task> tasks;
  caf::timestamp created_at{};
  caf::timestamp completed_at{};
  std::string source;
  std::string owner;
  std::optional<uint64_t> given_id;

  static constexpr auto type_name = "troupe::object_view";
  static constexpr auto fields = std::tuple{
    field{"id", &object_view::id},
    field{"name", &object_view::name},
    field{"content", &object_view::content},
    field{"state", &object_view::state},
    field{"tasks_total", &object_view::tasks_total},
    field{"tasks_done", &object_view::tasks_done},
    field{"tasks", &object_view::tasks},
    field{"created_at", &object_view::created_at},
    field{"completed_at", &object_view::completed_at},
    field{"source", &object_view::source},
    field{"owner", &object_view::owner},
    field{"given_id", &object_view::given_id},
  };
};

/// Query: one object. Errors: `ec::not_found`.
struct get_object {
  uint64_t id = 0;

  static constexpr auto type_name = "troupe::get_object";
  static constexpr auto fields = std::tuple{field{"id", &get_object::id}};
};

/// Query: objects, the largest id first, without tasks.
struct list_objects {
  uint64_t below = std::numeric_limits<uint64_t>::max(); ///< The `next` of the page before.
  uint32_t limit = 50;                                   ///< 1..1000.

  static constexpr auto type_name = "troupe::list_objects";
  static constexpr auto fields = std::tuple{
    field{"below", &list_objects::below},
    field{"limit", &list_objects::limit},
  };
};

/// Reply to `list_objects`.
struct object_page {
  std::vector<object_view> objects;
  std::optional<uint64_t> next; ///< Nothing = no more.

  static constexpr auto type_name = "troupe::object_page";
  static constexpr auto fields = std::tuple{
    field{"objects", &object_page::objects},
    field{"next", &object_page::next},
  };
};

/// Query: dead tasks, the oldest first.
struct list_dead_tasks {
  std::string after;   ///< The `next` of the page before; empty = the first page.
  uint32_t limit = 50; ///< 1..1000.

  static constexpr auto type_name = "troupe::list_dead_tasks";
  static constexpr auto fields = std::tuple{
    field{"after", &list_dead_tasks::after},
    field{"limit", &list_dead_tasks::limit},
  };
};

/// Reply to `list_dead_tasks`.
struct dead_task_page {
  std::vector<object_task> tasks;
  std::string next; ///< Empty = no more.

  static constexpr auto type_name = "troupe::dead_task_page";
  static constexpr auto fields = std::tuple{
    field{"tasks", &dead_task_page::tasks},
    field{"next", &dead_task_page::next},
  };
};

/// Command: dead tasks into the queue again, each as a new job. One that is not dead is left out.
struct retry_dead_tasks {
  std::vector<std::string> tasks; ///< As on the wire; empty = all, at most 1000 at a time.
  std::string by;

  static constexpr auto type_name = "troupe::retry_dead_tasks";
  static constexpr auto fields = std::tuple{
    field{"tasks", &retry_dead_tasks::tasks, {.max_size = 1000}},
    field{"by", &retry_dead_tasks::by},
  };
};

/// Command: dead tasks out of the list. As above.
struct purge_dead_tasks {
  std::vector<std::string> tasks;
  std::string by;

  static constexpr auto type_name = "troupe::purge_dead_tasks";
  static constexpr auto fields = std::tuple{
    field{"tasks", &purge_dead_tasks::tasks, {.max_size = 1000}},
    field{"by", &purge_dead_tasks::by},
  };
};

/// Reply to both: the tasks that it was done to.
struct changed_tasks {
  std::vector<std::string> tasks; ///< The ids that they had.
  std::vector<std::string> now;   ///< Of a retry: the ids that they have now, in order.

  static constexpr auto type_name = "troupe::changed_tasks";
  static constexpr auto fields = std::tuple{
    field{"tasks", &changed_tasks::tasks},
    field{"now", &changed_tasks::now},
  };
};

} // namespace troupe
