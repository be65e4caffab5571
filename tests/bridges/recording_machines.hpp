#pragma once

#include "messages/protocols.hpp"

#include <caf/actor_system.hpp>

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace troupe::tests {

/// What a tracker was told that answers without thinking. Threads: any.
struct machine_record {
  std::mutex mutex;
  std::map<std::string, machine_sighting> seen;
  std::vector<list_machines> listed;
  std::vector<import_machines> imported;
  std::vector<quarantine_machine> marked;
  std::vector<expect_machines> expected;

  /// Adds a machine; `time` is naive, "" = never.
  void see(const std::string& id, const std::string& time, std::string status = {},
           std::string task = {});
};

machine_tracker_actor spawn_recording_machines(caf::actor_system& sys,
                                               std::shared_ptr<machine_record> told);

} // namespace troupe::tests
