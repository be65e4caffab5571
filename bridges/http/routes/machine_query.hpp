#pragma once

#include "bridges/http/routes/call.hpp"
#include "messages/machine.hpp"

#include <vector>

namespace troupe {

/// Returns the parameters of `GET /machines`.
std::vector<query_parameter> machine_list_parameters();

/// Whether a request asks for a page, and not for the original's whole list.
bool wants_machine_page(const call& c);

/// Reads the filters. Faults are added with the name of their parameter.
list_machines read_machine_query(const call& c, std::vector<json_fault>& faults);

} // namespace troupe
