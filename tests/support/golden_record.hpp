#pragma once

#include "messages/codec.hpp"
#include "messages/enum_names.hpp"

#include <map>
#include <string>
#include <vector>

/// Records filled with values that follow from the names of their fields alone, so
/// that two releases fill what both know alike, whatever one of them has appended.
namespace troupe::tests {

/// What a release knew of a record: how many fields.
using field_counts = std::map<std::string, size_t, std::less<>>;

/// Continues a hash (FNV-1a) with a text.
inline uint64_t mixed(uint64_t mark, std::string_view text) {
  for (auto c : text)
    mark = (mark ^ static_cast<unsigned char>(c)) * 1099511628211U;
  return (mark ^ '/') * 1099511628211U;
}

template <class>
inline constexpr auto is_list = false;
template <class T>
inline constexpr auto is_list<std::vector<T>> = true;
template <class>
inline constexpr auto is_optional = false;
template <class T>
inline constexpr auto is_optional<std::optional<T>> = true;
template <class>
inline constexpr auto is_map = false;
template <class K, class T>
inline constexpr auto is_map<std::map<K, T>> = true;

/// Gives `x` the value that belongs to `mark`; lists and maps get two items.
template <class T>
void fill(T& x, uint64_t mark) {
  if constexpr (record<T>) {
    for_each_field<T>([&](const auto& m) { fill(x.*m.member, mixed(mark, m.name)); });
  } else if constexpr (std::is_same_v<T, bool>) {
    x = true;
  } else if constexpr (std::is_enum_v<T>) {
    x = static_cast<T>(1 + mark % 100);
  } else if constexpr (std::is_floating_point_v<T>) {
    x = static_cast<T>(mark % 1'000'000) / 8;
  } else if constexpr (std::is_integral_v<T>) {
    x = static_cast<T>(mark);
  } else if constexpr (std::is_same_v<T, std::string>) {
    x = "text " + std::to_string(mark % 1'000'000);
  } else if constexpr (std::is_same_v<T, job_id>) {
    for (auto& byte : x.bytes)
      byte = static_cast<std::decay_t<decltype(byte)>>(mark = mixed(mark, "byte"));
  } else if constexpr (std::is_same_v<T, caf::timestamp>) {
    x = caf::timestamp{caf::timespan{static_cast<int64_t>(mark >> 3)}};
  } else if constexpr (std::is_same_v<T, caf::timespan>) {
    x = caf::timespan{static_cast<int64_t>(mark >> 20)};
  } else if constexpr (is_optional<T>) {
    fill(x.emplace(), mark);
  } else if constexpr (is_list<T>) {
    for (const auto* place : {"first", "second"})
      fill(x.emplace_back(), mixed(mark, place));
  } else {
    static_assert(is_map<T>);
    for (const auto* place : {"first", "second"}) {
      auto key = typename T::key_type{};
      fill(key, mixed(mark, place));
      fill(x[key], mixed(mark, place) + 1);
    }
  }
}

/// Returns a filled record.
template <record T>
T filled() {
  auto out = T{};
  fill(out, mixed(14695981039346656037U, T::type_name));
  return out;
}

inline size_t count_of(const field_counts& known, std::string_view name) {
  auto i = known.find(name);
  return i == known.end() ? ~size_t{0} : i->second;
}

/// Gives all that a release did not know its default.
template <class T>
void forget(T& x, const field_counts& known) {
  if constexpr (record<T>) {
    auto i = size_t{0};
    auto fresh = T{};
    for_each_field<T>([&](const auto& m) {
      if (i++ < count_of(known, T::type_name))
        forget(x.*m.member, known);
      else
        x.*m.member = fresh.*m.member;
    });
  } else if constexpr (is_list<T> || is_optional<T>) {
    if constexpr (is_list<T>)
      for (auto&& item : x)
        forget(item, known);
    else if (x)
      forget(*x, known);
  } else if constexpr (is_map<T>) {
    for (auto& [key, item] : x)
      forget(item, known);
  }
}

/// Appends `x` as a release wrote it: records end with the last field that it knew.
template <class T>
void encode_as_known(std::string& out, const T& x, const field_counts& known) {
  auto to = encoder{out};
  if constexpr (record<T>) {
    auto i = size_t{0};
    auto body = std::string{};
    for_each_field<T>([&](const auto& m) {
      if (i++ < count_of(known, T::type_name))
        encode_as_known(body, x.*m.member, known);
    });
    to.value(body); // a record is framed like a text
  } else if constexpr (is_list<T>) {
    to.number(x.size());
    for (const auto& item : x)
      encode_as_known(out, item, known);
  } else if constexpr (is_optional<T>) {
    to.value(x.has_value());
    if (x)
      encode_as_known(out, *x, known);
  } else if constexpr (is_map<T>) {
    to.number(x.size());
    for (const auto& [key, item] : x) {
      to.value(key);
      encode_as_known(out, item, known);
    }
  } else {
    to.value(x);
  }
}

/// Calls `f.template operator()<T>()` for a record and all records inside of it.
template <class T, class F>
void for_each_record(F& f) {
  if constexpr (record<T>) {
    f.template operator()<T>();
    for_each_field<T>([&](const auto& m) {
      for_each_record<std::decay_t<decltype(std::declval<T>().*m.member)>>(f);
    });
  } else if constexpr (is_list<T> || is_optional<T>) {
    for_each_record<typename T::value_type>(f);
  } else if constexpr (is_map<T>) {
    for_each_record<typename T::mapped_type>(f);
  }
}

} // namespace troupe::tests
