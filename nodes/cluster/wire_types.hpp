#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>

namespace troupe {

/// Returns the wire names of everything that messages between nodes may hold: the
/// types of Troupe's protocols and CAF's flat ones. Not among them is what nests
/// without bounds (messages, configuration values), what kills or links actors,
/// bare actor handles, and what only the journal's own node may order.
std::set<std::string, std::less<>> wire_types();

/// Returns the messages between nodes that begin with an atom: what follows "@<>" in
/// their type lists, and their atoms. Others end roles ("drain") or play an actor's clock.
std::map<std::string, std::set<uint64_t>, std::less<>> wire_orders();

} // namespace troupe
