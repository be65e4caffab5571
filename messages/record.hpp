#pragma once

#include <cstdint>
#include <limits>
#include <tuple>

namespace troupe {

/// What a field of a request must satisfy beyond its type. Checked where JSON
/// enters (`parse_json`) and shown in `/openapi.json`.
struct rule {
  const char* doc = "";     ///< One line for people.
  bool required = false;    ///< Must be present and not null.
  const char* pattern = ""; ///< Whole-string character rule by name, see `messages/text_rule.hpp`.
  const char* one_of = "";  ///< Allowed values, separated by '|'.
  int64_t min = std::numeric_limits<int64_t>::min(); ///< Smallest number.
  int64_t max = std::numeric_limits<int64_t>::max(); ///< Largest number.
  size_t max_size = 65536;                           ///< Bytes of a string, items of a list.
  bool secret = false;                               ///< Never written as JSON.
};

/// Names one data member of a message. The name is the JSON key; the position
/// in `fields` is the position in the binary form, so fields are only appended.
template <class T, class M>
struct field {
  const char* name;
  M T::*member;
  rule must{};
};
template <class T, class M>
field(const char*, M T::*) -> field<T, M>;
template <class T, class M>
field(const char*, M T::*, rule) -> field<T, M>;

/// A message: a plain struct that lists its fields once.
template <class T>
concept record = requires {
  T::type_name;
  T::fields;
};

/// Calls `f` with every field of `T` in order.
template <record T, class F>
constexpr void for_each_field(F&& f) {
  std::apply([&](const auto&... m) { (f(m), ...); }, T::fields);
}

} // namespace troupe
