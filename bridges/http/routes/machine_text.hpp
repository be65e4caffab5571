#pragma once

#include "messages/machine.hpp"

#include <string>
#include <vector>

namespace troupe {

/// What the original's list says of a machine.
enum class sighting_fields : uint8_t {
  lastseen, ///< "datacenter", "machine", "lastseen".
  status,   ///< Also "machines-last-status" and "machines-last-taskid", null if unknown.
};

/// Writes the original's list, as `json.dumps(list, indent=2)` lays it out, piece by piece: ten
/// thousand machines are one text and never a document. Source: spec/machines.md 2.1.
class sighting_writer {
public:
  explicit sighting_writer(sighting_fields fields) : fields_{fields} {}

  void add(const std::vector<machine_sighting>& machines);

  /// Returns the whole list.
  std::string finish();

private:
  void add(const machine_sighting& x);
  void add_text(std::string_view key, std::string_view text);

  sighting_fields fields_;
  std::string out_ = "[";
};

} // namespace troupe
