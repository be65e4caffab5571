#pragma once

#include "nodes/cli/program.hpp"
#include "nodes/cli/session.hpp"

#include <functional>
#include <string>

/// The verb `machines`: what its files share.
namespace troupe::cli {

/// Returns the path of one machine, "DATACENTER:HOST".
std::string machine_path(const std::string& id);

/// Opens a session, asks, and shows what came: as JSON, or by `show`.
void ask_machines(program& p, const std::function<caf::expected<json>(session&)>& ask,
                  const std::function<void(const json&)>& show);

/// Adds the verbs that change something.
void add_machine_changes(program& p, CLI::App& verb);

} // namespace troupe::cli
