#pragma once

#include "messages/codec.hpp"

#include <caf/binary_deserializer.hpp>
#include <caf/binary_serializer.hpp>

#include <optional>
#include <type_traits>
#include <vector>

namespace troupe::bench {

template <class F, class T>
caf::error native_compound(F& f, T& x);
template <class F, class T>
caf::error native_compound(F& f, std::vector<T>& xs);
template <class F, class T>
caf::error native_compound(F& f, std::optional<T>& x);

/// CAF's own binary form of a record, field by field: what `inspect` would do
/// without our codec. Only for comparison; it cannot evolve.
template <class F, class T>
caf::error native(F& f, T& x) {
  if constexpr (record<T>) {
    auto why = caf::error{};
    for_each_field<T>([&](const auto& m) {
      if (!why)
        why = native(f, x.*m.member);
    });
    return why;
  } else if constexpr (std::is_enum_v<T>) {
    auto raw = static_cast<uint8_t>(x);
    auto why = f(raw);
    x = static_cast<T>(raw);
    return why;
  } else if constexpr (std::is_same_v<T, job_id>) {
    return f(x.bytes);
  } else {
    return native_compound(f, x);
  }
}

template <class F, class T>
caf::error native_compound(F& f, T& x) {
  return f(x);
}

template <class F, class T>
caf::error native_compound(F& f, std::vector<T>& xs) {
  auto n = xs.size();
  auto why = f.begin_sequence(n);
  xs.resize(n);
  for (auto i = size_t{0}; !why && i < n; ++i)
    why = native(f, xs[i]);
  return why;
}

template <class F, class T>
caf::error native_compound(F& f, std::optional<T>& x) {
  auto present = x.has_value();
  auto why = f(present);
  if (why || !present)
    return why;
  return native(f, x ? *x : x.emplace());
}

} // namespace troupe::bench
