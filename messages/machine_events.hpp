#pragma once

#include "messages/enum_names.hpp"
#include "messages/event.hpp"

#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// Machines: when they were last alive, and what they did. Source: spec/machines.md.
///
/// A machine's id is "datacenter:host": worker group and worker id of Taskcluster.
/// Whoever hears of a machine appends `machine_seen` to the journal by itself, as it
/// came: repeated, late, in any order. What is known of a machine depends on the set
/// of its events only (docs/adr/0013).
namespace troupe {

/// Sizes of what is kept, in bytes; longer text is cut, never refused.
inline constexpr size_t machine_name_size = 128; ///< Of each half of an id.
inline constexpr size_t machine_word_size = 64;  ///< Of a state, a reason, a worker type.
inline constexpr size_t quarantine_text_size = 4000;
inline constexpr size_t recent_machine_tasks = 20; ///< As Taskcluster keeps.

/// Returns "datacenter:host".
std::string to_machine_id(std::string_view datacenter, std::string_view host);
/// Splits at the first colon; both halves must be there, of at most `machine_name_size`
/// bytes, without white space and control characters.
std::optional<std::pair<std::string_view, std::string_view>> split_machine_id(std::string_view id);
/// Reads a time as Taskcluster and the original write it: as `parse_iso8601`, the zone may be
/// missing (UTC); what lies beyond the year 2261 is `far_future`.
std::optional<caf::timestamp> parse_machine_time(std::string_view text);
/// Stands for every later instant.
inline constexpr auto far_future =
  caf::timestamp{caf::timespan{std::numeric_limits<int64_t>::max()}};

/// What a sign of a machine says.
enum class machine_sign : uint8_t {
  unknown, ///< Of a newer release.
  running, ///< A run began.
  completed,
  failed,
  exception,        ///< The reason decides whether it was a sign of life.
  worker_requested, ///< The worker manager wants it; it is not there yet.
  worker_running,
  worker_stopped,
  worker_removed,
  worker_error,  ///< It could not be started or reported trouble; no sign of life.
  imported,      ///< Another tracker has seen it.
  forced_import, ///< The same, and whatever is newer here is wrong.
};
template <>
inline constexpr auto enum_names<machine_sign> =
  std::array<std::string_view, 12>{"unknown",        "running",        "completed",
                                   "failed",         "exception",      "worker-requested",
                                   "worker-running", "worker-stopped", "worker-removed",
                                   "worker-error",   "imported",       "forced-import"};

/// Event: something was heard of a machine; everything that one message says of it.
/// Times that are not said are 0. The time of the journal's event is `at`.
struct machine_seen {
  static constexpr auto topic = "machine.seen";
  std::string machine; ///< "datacenter:host".
  machine_sign kind = machine_sign::unknown;
  caf::timestamp at{}; ///< Of what happened: begin of the run, its end, the worker's change.
  std::string task;    ///< Slug id; a job's id for runs of our own.
  uint32_t run = 0;
  std::string provisioner;
  std::string worker_type;
  std::string state;  ///< Of the run. Imported: the whole last status.
  std::string reason; ///< `reasonResolved` of the run, or why the worker was removed.
  caf::timestamp taken_until{};
  caf::timestamp started{};
  caf::timestamp resolved{};
  caf::timestamp deadline{}; ///< Of the task.
  std::string source = {};   ///< Whose word it is: the feed, "jobs", who imported it.
  std::string pool = {};     ///< Worker events: the provider.

  bool operator==(const machine_seen&) const = default;
  static constexpr auto type_name = "troupe::machine_seen";
  static constexpr auto fields = std::tuple{
    field{"machine", &machine_seen::machine},
    field{"kind", &machine_seen::kind},
    field{"at", &machine_seen::at},
    field{"task", &machine_seen::task},
    field{"run", &machine_seen::run},
    field{"provisioner", &machine_seen::provisioner},
    field{"worker_type", &machine_seen::worker_type},
    field{"state", &machine_seen::state},
    field{"reason", &machine_seen::reason},
    field{"taken_until", &machine_seen::taken_until},
    field{"started", &machine_seen::started},
    field{"resolved", &machine_seen::resolved},
    field{"deadline", &machine_seen::deadline},
    field{"source", &machine_seen::source},
    field{"pool", &machine_seen::pool},
  };
};

/// Event: somebody marked a machine until a time; one that is not after `at` lifts the mark.
struct machine_quarantined {
  static constexpr auto topic = "machine.quarantined";
  std::string machine;
  caf::timestamp at{};
  caf::timestamp until{};
  std::string why;
  std::string by;

  static constexpr auto type_name = "troupe::machine_quarantined";
  static constexpr auto fields = std::tuple{
    field{"machine", &machine_quarantined::machine}, field{"at", &machine_quarantined::at},
    field{"until", &machine_quarantined::until},     field{"why", &machine_quarantined::why},
    field{"by", &machine_quarantined::by},
  };
};

/// Event: these machines should exist from now on, those should not.
struct machine_inventory {
  static constexpr auto topic = "machine.inventory";
  std::vector<std::string> added;
  std::vector<std::string> removed;
  caf::timestamp at{};
  std::string by;

  static constexpr auto type_name = "troupe::machine_inventory";
  static constexpr auto fields = std::tuple{
    field{"added", &machine_inventory::added},
    field{"removed", &machine_inventory::removed},
    field{"at", &machine_inventory::at},
    field{"by", &machine_inventory::by},
  };
};

/// Event, and reply to `forget_machine`: what was known until `at` is forgotten.
struct machine_forgotten {
  static constexpr auto topic = "machine.forgotten";
  std::string id;
  caf::timestamp at{};
  std::string by;

  static constexpr auto type_name = "troupe::machine_forgotten";
  static constexpr auto fields = std::tuple{
    field{"id", &machine_forgotten::id},
    field{"at", &machine_forgotten::at},
    field{"by", &machine_forgotten::by},
  };
};

enum class machine_trouble : uint8_t {
  lost,       ///< A claim of it expired, nothing was heard since.
  stale,      ///< Nothing was heard for too long.
  exceptions, ///< So many runs in a row ended in an exception.
  back,       ///< After one of these, it is well again.
};
template <>
inline constexpr auto enum_names<machine_trouble> =
  std::array<std::string_view, 4>{"lost", "stale", "exceptions", "back"};

/// Event: people want to know of a machine; raised once, none for quarantined ones.
struct machine_alert {
  static constexpr auto topic = "machine.alert";
  std::string machine;
  machine_trouble what = machine_trouble::lost;
  caf::timestamp at{};    ///< When it was found out.
  caf::timestamp since{}; ///< Since when it is so.
  uint32_t count = 0;     ///< Exceptions in a row.
  std::string provisioner;
  std::string worker_type;
  std::string task; ///< The last one.
  std::string text; ///< A sentence for people.

  static constexpr auto type_name = "troupe::machine_alert";
  static constexpr auto fields = std::tuple{
    field{"machine", &machine_alert::machine},
    field{"what", &machine_alert::what},
    field{"at", &machine_alert::at},
    field{"since", &machine_alert::since},
    field{"count", &machine_alert::count},
    field{"provisioner", &machine_alert::provisioner},
    field{"worker_type", &machine_alert::worker_type},
    field{"task", &machine_alert::task},
    field{"text", &machine_alert::text},
  };
};

} // namespace troupe
