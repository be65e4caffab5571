#pragma once

#include "actors/machines/machine_table.hpp"

#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace troupe {

/// What a batch changes. The rows in memory change at once, with the old ones kept here.
struct machine_table::draft {
  /// A sign whose row is folded, and which may or may not be in the history.
  struct open_sign {
    machine_rows::place where = 0;
    caf::timestamp begin{};
    machine_sign kind = machine_sign::unknown;
    bool fresh = false; ///< Surely not in the history.
    std::string reason;
    std::string key;
    std::string value;
  };

  std::optional<std::string>* pending(const std::string& key) {
    auto i = history.find(key);
    return i != history.end() ? &i->second : nullptr;
  }

  machine_mark mark;
  std::unordered_map<machine_rows::place, machine_row> before; ///< Rows that changed, as they were.
  std::vector<open_sign> open;
  std::vector<machine_rows::place> shortened; ///< Whose history begins later now.
  std::unordered_map<std::string, std::optional<std::string>> history; ///< To be written.
  table_changes changes;                                               ///< Of other keys.
  std::unordered_map<std::string, std::optional<caf::timestamp>> forgotten_before;
  machine_counters counts; ///< As they were.
};

} // namespace troupe
