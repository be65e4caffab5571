#pragma once

#include "messages/json.hpp"
#include "nodes/cli/terminal.hpp"

#include <caf/timestamp.hpp>

#include <string>

/// Machines as text for people, from the JSON of the server. Everything here is pure.
namespace troupe::cli {

/// Returns a table of machines; how long ago they were seen counts from `now`.
std::string machines_table(const terminal& io, const json& machines, caf::timestamp now);

/// Returns everything that is known of one machine.
std::string machine_text(const terminal& io, const json& machine, caf::timestamp now);

/// Returns a table of what a machine did, as `GET /machines/{id}/tasks` tells it.
std::string machine_tasks_table(const terminal& io, const json& tasks);

/// Returns a table of `GET /machines/summary`.
std::string summary_table(const terminal& io, const json& summary);

} // namespace troupe::cli
