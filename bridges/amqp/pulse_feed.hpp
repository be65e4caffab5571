#pragma once

#include "bridges/amqp/inbound_message.hpp"
#include "messages/machine_events.hpp"

#include <caf/expected.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace troupe {

/// Which messages of Taskcluster a queue of ours is for. Source: spec/machines.md 2.5, 2.8.
struct pulse_feed {
  std::string name;  ///< In the configuration; what `machine_seen::source` says.
  size_t place = 0;  ///< Among the feeds of the bridge.
  std::vector<std::string> provisioners{"releng-hardware"};
  std::vector<std::string> worker_types; ///< Empty = all of them.
};

/// What a message says of a machine.
struct pulse_news {
  machine_seen what;
  bool recovered = false; ///< The machine stands in `status.runs` only.
  /// Not empty: it says nothing of a machine of ours, and why; a word for a metric.
  std::string_view ignored;
};

/// Returns the last part of an exchange's name: "task-running".
std::string_view pulse_kind(std::string_view exchange);

/// Reads a message of the queue's or the worker manager's exchanges. Takes any bytes; time and
/// memory grow with the body only. Unknown fields, states and reasons are accepted.
/// Errors: `ec::invalid_argument` with the place of what is not as the schemas say.
caf::expected<pulse_news> read_pulse(const pulse_feed& feed, const inbound_message& message);

/// What a consumer of task messages must bind for one provisioner; another word of the key that
/// happens to be the same does not match.
std::string pulse_binding(std::string_view provisioner, std::string_view kind);

/// The exchanges that tell of machines, without their prefix.
inline constexpr std::string_view pulse_task_kinds[] = {"task-running", "task-completed",
                                                        "task-failed", "task-exception"};
inline constexpr std::string_view pulse_worker_kinds[] = {"worker-requested", "worker-running",
                                                          "worker-stopped", "worker-removed",
                                                          "worker-pool-error"};
inline constexpr std::string_view pulse_task_prefix = "exchange/taskcluster-queue/v1/";
inline constexpr std::string_view pulse_worker_prefix = "exchange/taskcluster-worker-manager/v1/";

} // namespace troupe
