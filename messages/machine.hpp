#pragma once

#include "messages/machine_events.hpp"

/// What is asked of the machine tracker. Source: spec/machines.md 2.8.
namespace troupe {

enum class machine_state : uint8_t {
  unknown, ///< Only imported or expected.
  busy,
  idle,
  lost,     ///< A claim of it expired.
  shutdown, ///< It said so, or was stopped.
};
template <>
inline constexpr auto enum_names<machine_state> =
  std::array<std::string_view, 5>{"unknown", "busy", "idle", "lost", "shutdown"};

/// One line of the original's list.
struct machine_sighting {
  std::string id; ///< "datacenter:host".
  caf::timestamp lastseen{};
  std::string laststatus; ///< "<state>_<reasonResolved>"; empty = unknown.
  std::string lasttaskid;

  static constexpr auto type_name = "troupe::machine_sighting";
  static constexpr auto fields = std::tuple{
    field{"id", &machine_sighting::id},
    field{"lastseen", &machine_sighting::lastseen},
    field{"laststatus", &machine_sighting::laststatus},
    field{"lasttaskid", &machine_sighting::lasttaskid},
  };
};

/// Query: all machines that were seen, in the order of their ids.
struct list_sightings {
  std::string after; ///< The `next` of the part before; empty = the first.
  uint32_t limit = 50'000;

  static constexpr auto type_name = "troupe::list_sightings";
  static constexpr auto fields = std::tuple{
    field{"after", &list_sightings::after},
    field{"limit", &list_sightings::limit},
  };
};

/// Reply to `list_sightings`.
struct sighting_list {
  std::vector<machine_sighting> machines;
  std::string next; ///< Empty = no more.

  static constexpr auto type_name = "troupe::sighting_list";
  static constexpr auto fields = std::tuple{
    field{"machines", &sighting_list::machines},
    field{"next", &sighting_list::next},
  };
};

/// What a machine did with one run of a task.
struct machine_task {
  std::string task;
  uint32_t run = 0;
  std::string worker_type;
  std::string state;
  std::string reason;
  caf::timestamp started{};
  caf::timestamp resolved{};

  static constexpr auto type_name = "troupe::machine_task";
  static constexpr auto fields = std::tuple{
    field{"taskId", &machine_task::task},
    field{"runId", &machine_task::run},
    field{"workerType", &machine_task::worker_type},
    field{"state", &machine_task::state},
    field{"reasonResolved", &machine_task::reason},
    field{"started", &machine_task::started},
    field{"resolved", &machine_task::resolved},
  };
};

/// What was said with a quarantine.
struct quarantine_detail {
  std::string by;
  caf::timestamp at{};
  caf::timestamp until{};
  std::string why;

  static constexpr auto type_name = "troupe::quarantine_detail";
  static constexpr auto fields = std::tuple{
    field{"clientId", &quarantine_detail::by},
    field{"updatedAt", &quarantine_detail::at},
    field{"quarantineUntil", &quarantine_detail::until},
    field{"quarantineInfo", &quarantine_detail::why},
  };
};

/// Runs that the history of a machine still has.
struct machine_counts {
  uint64_t running = 0;
  uint64_t completed = 0;
  uint64_t failed = 0;
  std::map<std::string, uint64_t> exception; ///< By reason.

  static constexpr auto type_name = "troupe::machine_counts";
  static constexpr auto fields = std::tuple{
    field{"running", &machine_counts::running},
    field{"completed", &machine_counts::completed},
    field{"failed", &machine_counts::failed},
    field{"exception", &machine_counts::exception},
  };
};

/// A machine as callers see it, its marks as of the answer.
struct machine_view {
  std::string id;
  std::string datacenter;
  std::string machine;
  std::string provisioner;
  std::vector<std::string> worker_types;
  caf::timestamp firstseen{};
  caf::timestamp lastseen{};
  caf::timestamp lastmessage{};
  machine_state state = machine_state::unknown;
  bool stale = false;       ///< Nothing was heard for longer than `stale_after`.
  bool overdue = false;     ///< Busy, and its claim should have ended. Reclaims are not heard of.
  bool suspect = false;     ///< Overdue, and so is the task.
  bool quarantined = false; ///< A mark of ours; says nothing of Taskcluster's.
  bool missing = false;     ///< It should exist and was never seen.
  bool expected = false;
  std::string laststatus;
  std::string lasttaskid;
  std::optional<uint32_t> lastrunid;
  caf::timestamp takenuntil{};
  std::vector<machine_task> recent; ///< The latest first.
  machine_counts counts;
  uint32_t consecutive_failures = 0;
  uint32_t consecutive_exceptions = 0;
  std::optional<double> success_rate;
  caf::timestamp quarantine_until{};
  std::vector<quarantine_detail> quarantine_details;
  caf::timestamp expires{};

  static constexpr auto type_name = "troupe::machine_view";
  static constexpr auto fields = std::tuple{
    field{"id", &machine_view::id},
    field{"datacenter", &machine_view::datacenter},
    field{"machine", &machine_view::machine},
    field{"provisionerId", &machine_view::provisioner},
    field{"workerTypes", &machine_view::worker_types},
    field{"firstseen", &machine_view::firstseen},
    field{"lastseen", &machine_view::lastseen},
    field{"lastmessage", &machine_view::lastmessage},
    field{"state", &machine_view::state},
    field{"stale", &machine_view::stale},
    field{"overdue", &machine_view::overdue},
    field{"suspect", &machine_view::suspect},
    field{"quarantined", &machine_view::quarantined},
    field{"missing", &machine_view::missing},
    field{"expected", &machine_view::expected},
    field{"laststatus", &machine_view::laststatus},
    field{"lasttaskid", &machine_view::lasttaskid},
    field{"lastrunid", &machine_view::lastrunid},
    field{"takenuntil", &machine_view::takenuntil},
    field{"recentTasks", &machine_view::recent},
    field{"counts", &machine_view::counts},
    field{"consecutive_failures", &machine_view::consecutive_failures},
    field{"consecutive_exceptions", &machine_view::consecutive_exceptions},
    field{"success_rate", &machine_view::success_rate},
    field{"quarantineUntil", &machine_view::quarantine_until},
    field{"quarantineDetails", &machine_view::quarantine_details},
    field{"expires", &machine_view::expires},
  };
};

/// What a list of machines may be narrowed to: states, and marks beside the state.
enum class machine_filter : uint8_t {
  any,
  busy,
  idle,
  lost,
  shutdown,
  unknown,
  quarantined,
  stale,
  overdue,
  suspect,
  missing,
};
template <>
inline constexpr auto enum_names<machine_filter> =
  std::array<std::string_view, 11>{"any",      "busy",    "idle",        "lost",
                                   "shutdown", "unknown", "quarantined", "stale",
                                   "overdue",  "suspect", "missing"};

enum class machine_order : uint8_t {
  lastseen, ///< Those first that were not seen for longest.
  newest,
  id,
};
template <>
inline constexpr auto enum_names<machine_order> =
  std::array<std::string_view, 3>{"lastseen", "-lastseen", "id"};

/// Query: machines by filters; empty ones and 0 mean any. Errors: `ec::invalid_argument`
/// (place "continuationToken", "limit").
struct list_machines {
  std::string datacenter;
  std::string provisioner;
  std::string worker_type;
  machine_filter state = machine_filter::any;
  std::optional<bool> quarantined;
  caf::timespan stale_for{0};
  caf::timestamp seen_before{};
  caf::timestamp seen_after{};
  machine_order order = machine_order::lastseen;
  std::string after;    ///< The `next` of the page before.
  uint32_t limit = 100; ///< 1..1000.
  uint32_t recent = 0;  ///< Tasks of each, 0..20; they cost a look at the disk each.

  static constexpr auto type_name = "troupe::list_machines";
  static constexpr auto fields = std::tuple{
    field{"datacenter", &list_machines::datacenter},
    field{"provisioner", &list_machines::provisioner},
    field{"worker_type", &list_machines::worker_type},
    field{"state", &list_machines::state},
    field{"quarantined", &list_machines::quarantined},
    field{"stale_for", &list_machines::stale_for},
    field{"seen_before", &list_machines::seen_before},
    field{"seen_after", &list_machines::seen_after},
    field{"order", &list_machines::order},
    field{"after", &list_machines::after},
    field{"limit", &list_machines::limit},
    field{"recent", &list_machines::recent},
  };
};

/// Reply to `list_machines`.
struct machine_page {
  std::vector<machine_view> machines;
  std::string next; ///< Empty = no more.

  static constexpr auto type_name = "troupe::machine_page";
  static constexpr auto fields = std::tuple{
    field{"machines", &machine_page::machines},
    field{"next", &machine_page::next},
  };
};

/// Query: one machine. Errors: `ec::not_found`.
struct get_machine {
  std::string id;

  static constexpr auto type_name = "troupe::get_machine";
  static constexpr auto fields = std::tuple{
    field{"id", &get_machine::id},
  };
};

/// Query: runs of tasks on a machine, the latest first. Errors: `ec::not_found`,
/// `ec::invalid_argument` (as `list_machines`).
struct list_machine_tasks {
  std::string id;
  std::string after;   ///< The `next` of the page before.
  uint32_t limit = 50; ///< 1..1000.

  static constexpr auto type_name = "troupe::list_machine_tasks";
  static constexpr auto fields = std::tuple{
    field{"id", &list_machine_tasks::id},
    field{"after", &list_machine_tasks::after},
    field{"limit", &list_machine_tasks::limit},
  };
};

/// Reply to `list_machine_tasks`.
struct machine_task_page {
  std::vector<machine_task> tasks;
  std::string next;

  static constexpr auto type_name = "troupe::machine_task_page";
  static constexpr auto fields = std::tuple{
    field{"tasks", &machine_task_page::tasks},
    field{"next", &machine_task_page::next},
  };
};

/// Command: mark a machine until a time; one that has passed lifts it. The mark hides it from
/// alerts; it does not keep Taskcluster from giving it work. Errors: `ec::not_found`.
struct quarantine_machine {
  std::string id;
  caf::timestamp until{};
  std::string why; ///< At most `quarantine_text_size` bytes are kept.
  std::string by;

  static constexpr auto type_name = "troupe::quarantine_machine";
  static constexpr auto fields = std::tuple{
    field{"id", &quarantine_machine::id},
    field{"until", &quarantine_machine::until},
    field{"why", &quarantine_machine::why},
    field{"by", &quarantine_machine::by},
  };
};

/// Command: forget a machine. Errors: `ec::not_found`.
struct forget_machine {
  std::string id;
  std::string by;

  static constexpr auto type_name = "troupe::forget_machine";
  static constexpr auto fields = std::tuple{
    field{"id", &forget_machine::id},
    field{"by", &forget_machine::by},
  };
};

/// Command: take over what another tracker knows. Errors: `ec::invalid_argument` (an id; more
/// than 100,000 machines), as `append_events`.
struct import_machines {
  std::vector<machine_sighting> machines;
  bool force = false; ///< Also what is older than what is known here.
  std::string by;

  static constexpr auto type_name = "troupe::import_machines";
  static constexpr auto fields = std::tuple{
    field{"machines", &import_machines::machines},
    field{"force", &import_machines::force},
    field{"by", &import_machines::by},
  };
};

/// Reply to `import_machines`.
struct machines_imported {
  uint64_t taken = 0;
  uint64_t older = 0; ///< Not newer than what is known.

  static constexpr auto type_name = "troupe::machines_imported";
  static constexpr auto fields = std::tuple{
    field{"taken", &machines_imported::taken},
    field{"older", &machines_imported::older},
  };
};

/// Command: these machines should exist. Errors: as `import_machines`.
struct expect_machines {
  std::vector<std::string> ids;
  bool replace = false; ///< And no others.
  std::string by;

  static constexpr auto type_name = "troupe::expect_machines";
  static constexpr auto fields = std::tuple{
    field{"ids", &expect_machines::ids},
    field{"replace", &expect_machines::replace},
    field{"by", &expect_machines::by},
  };
};

/// Reply to `expect_machines`.
struct machines_expected {
  uint64_t added = 0;
  uint64_t removed = 0;
  uint64_t total = 0;

  static constexpr auto type_name = "troupe::machines_expected";
  static constexpr auto fields = std::tuple{
    field{"added", &machines_expected::added},
    field{"removed", &machines_expected::removed},
    field{"total", &machines_expected::total},
  };
};

/// Query: how many machines are in which state.
struct summarize_machines {
  caf::timespan stale_for{0}; ///< 0 = the node's.

  static constexpr auto type_name = "troupe::summarize_machines";
  static constexpr auto fields = std::tuple{
    field{"stale_for", &summarize_machines::stale_for},
  };
};

/// Machines of one datacenter and worker type.
struct machine_tally {
  std::string datacenter;
  std::string worker_type;
  uint64_t total = 0;
  uint64_t busy = 0;
  uint64_t idle = 0;
  uint64_t lost = 0;
  uint64_t shutdown = 0;
  uint64_t unknown = 0;
  uint64_t stale = 0;
  uint64_t overdue = 0;
  uint64_t suspect = 0;
  uint64_t quarantined = 0;
  uint64_t missing = 0;

  static constexpr auto type_name = "troupe::machine_tally";
  static constexpr auto fields = std::tuple{
    field{"datacenter", &machine_tally::datacenter},
    field{"workerType", &machine_tally::worker_type},
    field{"total", &machine_tally::total},
    field{"busy", &machine_tally::busy},
    field{"idle", &machine_tally::idle},
    field{"lost", &machine_tally::lost},
    field{"shutdown", &machine_tally::shutdown},
    field{"unknown", &machine_tally::unknown},
    field{"stale", &machine_tally::stale},
    field{"overdue", &machine_tally::overdue},
    field{"suspect", &machine_tally::suspect},
    field{"quarantined", &machine_tally::quarantined},
    field{"missing", &machine_tally::missing},
  };
};

/// Reply to `summarize_machines`.
struct machine_summary {
  std::vector<machine_tally> rows;
  machine_tally total;

  static constexpr auto type_name = "troupe::machine_summary";
  static constexpr auto fields = std::tuple{
    field{"rows", &machine_summary::rows},
    field{"total", &machine_summary::total},
  };
};

/// Reply to `status_atom`.
struct machine_counters {
  std::vector<machine_tally> rows;          ///< 256 at most, the rest is "other".
  std::map<std::string, uint64_t> messages; ///< Signs by kind; by exchange: `pulse_counters`.
  std::map<std::string, uint64_t> ignored;  ///< Signs that said nothing new of a machine, by why.
  uint64_t duplicates = 0;
  uint64_t out_of_order = 0; ///< Signs older than what was known of their machine.
  caf::timespan lag{0};      ///< From what happened to its arrival here, of the latest sign.
  uint64_t machines = 0;
  std::map<std::string, uint64_t> alerts; ///< Raised, by kind.
  uint64_t sequence = 0;                  ///< Of the last event applied.

  static constexpr auto type_name = "troupe::machine_counters";
  static constexpr auto fields = std::tuple{
    field{"rows", &machine_counters::rows},
    field{"messages", &machine_counters::messages},
    field{"ignored", &machine_counters::ignored},
    field{"duplicates", &machine_counters::duplicates},
    field{"out_of_order", &machine_counters::out_of_order},
    field{"lag", &machine_counters::lag},
    field{"machines", &machine_counters::machines},
    field{"alerts", &machine_counters::alerts},
    field{"sequence", &machine_counters::sequence},
  };
};

} // namespace troupe
