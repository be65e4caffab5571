#pragma once

#include "actors/projection/projection_table.hpp"
#include "messages/machine.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// What machines did: one entry per run and kind of sign. Its keys are what repeated signs
/// are told by.
namespace troupe {

/// What one sign says of a run.
struct history_entry {
  std::string worker_type;
  std::string state;
  caf::timestamp started{};
  caf::timestamp resolved{};
  caf::timestamp taken_until{};

  static constexpr auto type_name = "troupe::history_entry";
  static constexpr auto fields = std::tuple{
    field{"worker_type", &history_entry::worker_type}, field{"state", &history_entry::state},
    field{"started", &history_entry::started},         field{"resolved", &history_entry::resolved},
    field{"taken_until", &history_entry::taken_until},
  };
};

/// What a key says.
struct history_key {
  caf::timestamp begin{};
  std::string_view task;
  uint32_t run = 0;
  machine_sign kind = machine_sign::unknown;
  std::string_view reason;
  std::string_view run_part; ///< The bytes that entries of one run share.
};

namespace machine_keys {

inline constexpr auto mark = std::string_view{"m"};

std::string row(std::string_view id);
std::string details(std::string_view id);
std::string tombstone(std::string_view id);

/// All of one machine's history begins with it; the latest run comes first.
std::string history(std::string_view id);
/// "h" id, 0, begin (descending), task, 0, run, kind, reason.
std::string history(std::string_view id, caf::timestamp begin, const machine_seen& x);
/// Where runs that began before a time begin.
std::string history_before(std::string_view id, caf::timestamp begin);
std::optional<history_key> read_history(std::string_view key, size_t prefix);
/// Returns the first key that does not begin with these bytes.
std::string after(std::string prefix);

} // namespace machine_keys

/// How a machine fared lately.
struct machine_streaks {
  uint32_t failures = 0;   ///< Latest runs that failed, in a row.
  uint32_t exceptions = 0; ///< Latest runs that ended in an exception that blames the machine.
  caf::timestamp since{};  ///< Begin of the first of those.
  std::string task;        ///< Of the last of those.
};

/// Runs of a machine, the latest first, each with the last word about it.
struct history_page {
  std::vector<machine_task> tasks;
  std::string next; ///< Where to go on; empty = no more.
};

/// Reads runs behind `after` (the `next` of a page). Errors: those of the table.
caf::expected<history_page> read_runs(const projection_table& table, std::string_view id,
                                      std::string_view after, size_t most);

/// Looks at what is needed of the latest runs, at most some hundreds.
caf::expected<machine_streaks> read_streaks(const projection_table& table, std::string_view id);

} // namespace troupe
