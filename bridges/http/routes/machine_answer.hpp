#pragma once

#include "bridges/http/routes/call.hpp"
#include "messages/machine.hpp"

namespace troupe {

/// Returns a machine as JSON; `lastseen` as the original writes it, all other times in RFC 3339.
json json_of(const machine_view& x);

/// Returns the answer for a failure about one machine. One that is not known is the original's
/// text, unless the caller says that it takes JSON.
http_response machine_failure(const call& c, const caf::error& why);

/// Returns "datacenter:host" of the path.
const std::string& machine_of(const call& c);

/// Whether reading needs no token, as in the original. Source: spec/machines.md 2.1.
bool machines_are_open(const route_options& options, const http_request& in);

} // namespace troupe
