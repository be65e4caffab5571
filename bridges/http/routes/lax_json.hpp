#pragma once

#include "messages/json.hpp"

/// What pydantic takes for a number or a truth value where a program was not strict.
/// Source: pydantic 2, conversion table, lax mode.
namespace troupe {

/// Turns "5", " +5 " and 5.0 into 5. What it cannot read stays as it is.
void read_laxly_as_whole(json& x);

/// Turns 0, 1 and the words 0, off, f, false, n, no, 1, on, t, true, y, yes (in
/// any letter case) into truth values. What it cannot read stays as it is.
void read_laxly_as_flag(json& x);

/// Turns all of that in a document into what the strict reader of `T` wants.
template <class T>
void read_laxly(json& x) {
  if constexpr (record<T>) {
    if (x.is_object())
      for_each_field<T>([&]<class M>(const field<T, M>& m) {
        if (auto i = x.find(m.name); i != x.end())
          read_laxly<M>(*i);
      });
  } else if constexpr (detail::is_vector<T>::value) {
    if (x.is_array())
      for (auto& item : x)
        read_laxly<typename T::value_type>(item);
  } else if constexpr (detail::is_optional<T>::value) {
    read_laxly<typename T::value_type>(x);
  } else if constexpr (std::is_same_v<T, bool>) {
    read_laxly_as_flag(x);
  } else if constexpr (std::is_integral_v<T>) {
    read_laxly_as_whole(x);
  }
}

} // namespace troupe
