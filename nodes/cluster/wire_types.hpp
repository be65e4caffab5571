#pragma once

#include <functional>
#include <set>
#include <string>

namespace troupe {

/// Returns the wire names of everything that messages between nodes may hold: the
/// types of Troupe's protocols and CAF's flat ones. Not among them is what nests
/// without bounds (messages, configuration values), what kills or links actors,
/// and bare actor handles.
std::set<std::string, std::less<>> wire_types();

} // namespace troupe
