#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <optional>
#include <string_view>

namespace troupe {

/// Specialized per enum: its names in the order of its values, from 0. These
/// are the words of the API, so they are append-only too.
template <class E>
inline constexpr auto enum_names = std::array<std::string_view, 0>{};

template <class E>
concept named_enum = std::is_enum_v<E> &&(enum_names<E>.size() > 0);

/// Returns the API word of `x`; a value from a newer node reads "unknown".
template <named_enum E>
constexpr std::string_view name_of(E x) {
  auto i = static_cast<size_t>(x);
  return i < enum_names<E>.size() ? enum_names<E>[i] : std::string_view{"unknown"};
}

/// Returns the value with this API word.
template <named_enum E>
constexpr std::optional<E> enum_of(std::string_view word) {
  for (auto i = size_t{0}; i < enum_names<E>.size(); ++i)
    if (enum_names<E>[i] == word)
      return static_cast<E>(i);
  return std::nullopt;
}

} // namespace troupe
