#pragma once

#include "actors/machines/machine_table.hpp"
#include "messages/machine.hpp"

#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace troupe {

/// Finds out about which machines people want to know. What was raised is in the rows, as
/// the journal tells it, so nothing is raised twice; what was handed out and is not there
/// yet is remembered here.
class machine_alerts {
public:
  machine_alerts(const machine_table& table, uint32_t exceptions_in_a_row)
    : table_{table}, in_a_row_{exceptions_in_a_row} {}

  /// Looks at one machine, adds what is to be raised. `heard` = something new may be in its
  /// history. Errors: those of the table.
  caf::error look(machine_rows::place where, bool heard, caf::timestamp now,
                  std::vector<machine_alert>& out);

  /// The journal did not take these.
  void not_raised(const std::vector<machine_alert>& alerts);

private:
  bool hand_out(const machine_alert& x);

  const machine_table& table_;
  uint32_t in_a_row_;
  std::set<std::pair<std::string, machine_trouble>> under_way_;
};

/// Returns the id that the journal knows an alert by: the same for the same trouble.
std::string alert_id(const machine_alert& x);

} // namespace troupe
