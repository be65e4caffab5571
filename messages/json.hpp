#pragma once

#include "messages/codec.hpp"
#include "messages/enum_names.hpp"
#include "messages/text_rule.hpp"
#include "messages/time.hpp"

#include <nlohmann/json.hpp>

#include <string>
#include <string_view>
#include <vector>

/// The JSON form of records, and the only place that includes nlohmann/json.
namespace troupe {

using json = nlohmann::json;

/// What a stranger's JSON may be. Source: spec/reliability_security.md S10.
struct json_limits {
  size_t depth = 64;
  size_t keys = 10'000;
};

/// Parses strict JSON (UTF-8, no duplicate keys) within limits. The limits are
/// checked before a document exists, because a deep one overflows the stack.
/// Errors: `ec::invalid_argument`, the place is "offset N".
caf::expected<json> parse_json_text(std::string_view text, json_limits limits = {});

/// Checks what `parse_json_text` checks, without making a document. Errors: as there.
caf::error check_json_text(std::string_view text, json_limits limits = {});

/// Returns compact text; bytes that are not UTF-8 are replaced.
std::string json_text(const json& x);

/// One fault of a request body. `place` is a field path: "repositories[0].url".
struct json_fault {
  std::string place;
  std::string text;
};

namespace detail {

template <class T>
struct is_vector : std::false_type {};
template <class T>
struct is_vector<std::vector<T>> : std::true_type {};
template <class T>
struct is_optional : std::false_type {};
template <class T>
struct is_optional<std::optional<T>> : std::true_type {};
template <class T>
struct is_map : std::false_type {};
template <class T>
struct is_map<std::map<std::string, T>> : std::true_type {};

bool in_choice(std::string_view choices, std::string_view word);

} // namespace detail

/// Returns the JSON form of any field value.
template <class T>
json write_json(const T& x) {
  if constexpr (record<T>) {
    auto out = json::object();
    for_each_field<T>([&](const auto& m) {
      if (!m.must.secret)
        out[m.name] = write_json(x.*m.member);
    });
    return out;
  } else if constexpr (named_enum<T>) {
    return std::string{name_of(x)};
  } else if constexpr (std::is_same_v<T, job_id>) {
    return to_string(x);
  } else if constexpr (std::is_same_v<T, caf::timestamp>) {
    return x == T{} ? json() : json(to_iso8601(x));
  } else if constexpr (std::is_same_v<T, caf::timespan>) {
    return std::chrono::duration<double>(x).count();
  } else if constexpr (detail::is_vector<T>::value) {
    auto out = json::array();
    for (const auto& item : x)
      out.push_back(write_json(item));
    return out;
  } else if constexpr (detail::is_map<T>::value) {
    auto out = json::object();
    for (const auto& [k, item] : x)
      out[k] = write_json(item);
    return out;
  } else if constexpr (detail::is_optional<T>::value) {
    return x ? write_json(*x) : json();
  } else {
    return x;
  }
}

/// Reads JSON into records and collects every fault with its field path.
class json_reader {
public:
  /// A stranger's million wrong items must not become a million texts.
  static constexpr auto most_faults = size_t{256};

  bool strict = false; ///< Complain of keys that the record does not have.
  std::vector<json_fault> faults;

  template <class T>
  void read(const json& in, T& x, const std::string& place, const rule& must = {}) {
    if constexpr (record<T>) {
      if (!in.is_object())
        return complain(place, "must be an object");
      for_each_field<T>([&](const auto& m) { read_member(in, x, m, place); });
      if (strict)
        refuse_unknown<T>(in, place);
    } else if constexpr (detail::is_vector<T>::value) {
      if (!in.is_array())
        return complain(place, "must be a list");
      if (in.size() > must.max_size)
        return complain(place, "has more than " + std::to_string(must.max_size) + " items");
      for (auto i = size_t{0}; i < in.size(); ++i)
        read(in[i], x.emplace_back(), place + '[' + std::to_string(i) + ']', must);
    } else if constexpr (detail::is_map<T>::value) {
      if (!in.is_object())
        return complain(place, "must be an object");
      for (const auto& [k, item] : in.items())
        read(item, x[k], place + '.' + k, must);
    } else if constexpr (detail::is_optional<T>::value) {
      if (!in.is_null())
        read(in, x.emplace(), place, must);
    } else {
      read_scalar(in, x, place, must);
    }
  }

  void complain(std::string place, std::string text) {
    if (faults.size() < most_faults)
      faults.push_back({std::move(place), std::move(text)});
  }

private:
  /// A mistyped key would be a wish that nobody hears.
  template <class T>
  void refuse_unknown(const json& in, const std::string& place) {
    for (const auto& [key, _] : in.items()) {
      auto known = false;
      for_each_field<T>([&](const auto& m) { known = known || key == m.name; });
      if (!known)
        complain(place.empty() ? key : place + '.' + key, "is not a known field");
    }
  }

  template <class T, class M>
  void read_member(const json& in, T& x, const field<T, M>& m, const std::string& place) {
    auto path = place.empty() ? std::string{m.name} : place + '.' + m.name;
    auto i = in.find(m.name);
    if (i == in.end() || (i->is_null() && !detail::is_optional<M>::value)) {
      if (m.must.required)
        complain(path, "is required");
      return;
    }
    read(*i, x.*m.member, path, m.must);
  }

  template <class T>
  void read_scalar(const json& in, T& x, const std::string& place, const rule& must) {
    if constexpr (std::is_same_v<T, bool>) {
      if (!in.is_boolean())
        return complain(place, "must be true or false");
      x = in.get<bool>();
    } else if constexpr (named_enum<T>) {
      auto word = enum_of<T>(in.is_string() ? in.get_ref<const std::string&>() : std::string{});
      if (!word)
        return complain(place, "is not one of the known words");
      x = *word;
    } else if constexpr (std::is_floating_point_v<T>) {
      if (!in.is_number())
        return complain(place, "must be a number");
      x = in.get<T>();
    } else if constexpr (std::is_integral_v<T>) {
      auto value = int64_t{0};
      if (read_integer(in, value, place, must)) {
        if (!std::in_range<T>(value))
          return complain(place, "is out of range");
        x = static_cast<T>(value);
      }
    } else {
      read_text(in, x, place, must);
    }
  }

  bool read_integer(const json& in, int64_t& x, const std::string& place, const rule& must);
  void read_text(const json& in, std::string& x, const std::string& place, const rule& must);
  void read_text(const json& in, job_id& x, const std::string& place, const rule& must);
  void read_text(const json& in, caf::timestamp& x, const std::string& place, const rule& must);
  void read_text(const json& in, caf::timespan& x, const std::string& place, const rule& must);
};

/// Returns an error that names the first fault and counts the rest.
caf::error to_error(const std::vector<json_fault>& faults);

/// Reads one record from a document. Unknown keys are ignored.
/// Errors: `ec::invalid_argument` with the field path.
template <record T>
caf::expected<T> read_json(const json& in) {
  auto x = T{};
  auto reader = json_reader{};
  reader.read(in, x, "");
  if (!reader.faults.empty())
    return to_error(reader.faults);
  return x;
}

/// Reads one record from text. Errors: as `parse_json_text` and `read_json`.
template <record T>
caf::expected<T> parse_json(std::string_view text) {
  auto in = parse_json_text(text);
  if (!in)
    return std::move(in.error());
  return read_json<T>(*in);
}

} // namespace troupe
