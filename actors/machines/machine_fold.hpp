#pragma once

#include "actors/machines/machine_row.hpp"
#include "messages/job_events.hpp"
#include "messages/machine.hpp"

#include <optional>

/// What signs say of a machine, and what a machine's state is. Pure. Source: spec/machines.md
/// 2.5 (liveness), 2.8 (states).
namespace troupe {

/// What one sign says. Times that it does not say are 0.
struct sign_meaning {
  bool of_run = false;    ///< It joins the history.
  caf::timestamp begin{}; ///< Of the run; the sign's own time if nobody says.
  caf::timestamp alive{}; ///< The machine lived then.
  caf::timestamp up{};    ///< The worker came up.
  caf::timestamp down{};  ///< The worker went down.
  caf::timestamp lost_since{};
  run_phase phase = run_phase::none;
};

sign_meaning meaning_of(const machine_seen& x);

/// Returns "<state>_<reasonResolved>" as the original writes it; of an import what it says.
std::string status_of(const machine_seen& x);

/// Tells whether an exception speaks against the machine; else somebody ended the run.
bool blames_machine(std::string_view reason);

/// Returns what tells runs of one machine apart that began at once. The same on all nodes.
uint64_t run_digest(std::string_view task, uint32_t run);

/// Tells without a look at the history that it does not have this sign.
bool surely_new(const machine_row& row, const machine_seen& x, const sign_meaning& what);

/// Lets a row know what a sign says, but for the sums over its history. Repeating it is
/// without effect, and so is the order of signs (but for `forced_import`).
void fold(machine_row& row, word_list& words, const machine_seen& x, const sign_meaning& what);

/// Counts a run of the history in (1) or out (-1).
void count(machine_row& row, word_list& words, machine_sign kind, std::string_view reason,
           int32_t by);

/// When states turn.
struct machine_ages {
  caf::timespan stale_after{std::chrono::hours{24}};
  caf::timespan longest_run{std::chrono::hours{24}}; ///< Overdue for longer = suspect.
};

/// How a machine is at one instant.
struct machine_condition {
  machine_state state = machine_state::unknown;
  bool stale = false;
  bool overdue = false;
  bool suspect = false;
  bool quarantined = false;
  bool missing = false;
};

machine_condition condition_of(const machine_row& row, caf::timestamp now,
                               const machine_ages& ages);

/// Returns what a run of our own says of its runner, as a machine of `datacenter`.
machine_seen sign_of(const run_started& x, caf::timestamp at, std::string_view datacenter);
machine_seen sign_of(const run_finished& x, caf::timestamp at, std::string_view datacenter);

} // namespace troupe
