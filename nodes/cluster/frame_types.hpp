#pragma once

#include "nodes/cluster/frame_guard.hpp"

#include <cstdint>
#include <optional>
#include <string_view>

namespace troupe {

/// What the head of a serialized message says of its types.
enum class type_list : uint8_t {
  empty,      ///< A message without elements.
  allowed,    ///< Known types only, after an atom one that goes with them.
  one_error,  ///< A single error; its context follows.
  one_handle, ///< An atom, a text and the handle of an actor.
  refused,
};

/// Reads the type list at the start of `bytes` (zero, zero, length, "@<>+type...")
/// and drops it from there. The list must be there as a whole, and an atom after it.
type_list read_type_list(std::string_view& bytes, const frame_rules& rules);

/// True if `bytes` begin with an error whose context is flat: code, category, and
/// a message of allowed types that is not an error itself.
bool is_flat_error(std::string_view bytes, const frame_rules& rules);

/// The handle of an actor as it stands in messages.
struct wire_handle {
  uint64_t actor = 0;    ///< 0: none.
  std::string_view node; ///< Its id.
};

/// The id of no node.
inline constexpr auto no_node_id = std::string_view{"\0\0\0\0\0\0\0\x0f", 8};

/// Reads the rest of a message of an atom, a text and a handle, which must be there
/// as a whole.
std::optional<wire_handle> read_handle(std::string_view bytes);

/// True if `bytes` begin with the one message that CAF sends by itself to a named
/// actor after a greeting.
bool asks_for_spawn_server(std::string_view bytes);

} // namespace troupe
