#pragma once

#include <caf/type_id.hpp>
#include <caf/typed_actor.hpp>

#include <type_traits>

namespace troupe {

template <class T>
constexpr bool has_id = std::is_void_v<T> || caf::has_type_id<T>::value;

/// True if every message in the interface of `Handle` has a type id. CAF
/// compiles without one and then drops the message between nodes.
template <class Handle>
struct registered;

template <class... In, class... Out>
struct registered<caf::typed_mpi<caf::detail::type_list<In...>, caf::output_tuple<Out...>>>
  : std::bool_constant<(has_id<In> && ...) && (has_id<Out> && ...)> {};

template <class... Signatures>
struct registered<caf::typed_actor<Signatures...>>
  : std::bool_constant<(registered<Signatures>::value && ...)> {};

} // namespace troupe
