#pragma once

#include "messages/json.hpp"

#include <string>

/// JSON Schemas of records, generated from their field lists when the program is compiled.
namespace troupe {

/// Adds the schema of a record, and of those inside it, to `#/components/schemas`.
/// Null stands for "no body".
using schema_writer = void (*)(json& schemas);

/// A record in the API: its schema name and how to describe it.
struct schema_ref {
  std::string_view name;
  schema_writer describe = nullptr;

  explicit operator bool() const {
    return describe != nullptr;
  }
};

/// Returns "job_view" for "troupe::job_view".
template <record T>
constexpr std::string_view schema_name() {
  auto name = std::string_view{T::type_name};
  auto colon = name.rfind(':');
  return colon == std::string_view::npos ? name : name.substr(colon + 1);
}

/// Adds the rules of a text field to its schema.
void describe_text_rule(json& schema, const rule& must);

template <record T>
void describe_record(json& schemas);

/// Returns the schema of one field value; records become references.
template <class T>
json schema_of_value(json& schemas, const rule& must) {
  if constexpr (record<T>) {
    describe_record<T>(schemas);
    return {{"$ref", "#/components/schemas/" + std::string{schema_name<T>()}}};
  } else if constexpr (named_enum<T>) {
    return {{"type", "string"}, {"enum", enum_names<T>}};
  } else if constexpr (std::is_same_v<T, bool>) {
    return {{"type", "boolean"}};
  } else if constexpr (std::is_same_v<T, job_id>) {
    return {{"type", "string"}, {"format", "uuid"}};
  } else if constexpr (std::is_same_v<T, caf::timestamp>) {
    return {{"type", "string"}, {"format", "date-time"}, {"nullable", true}};
  } else if constexpr (std::is_same_v<T, caf::timespan>) {
    return {{"type", "number"}, {"minimum", 0}, {"description", "Seconds."}};
  } else if constexpr (detail::is_vector<T>::value) {
    auto items = rule{};
    items.pattern = must.pattern;
    items.one_of = must.one_of;
    return {{"type", "array"},
            {"items", schema_of_value<typename T::value_type>(schemas, items)},
            {"maxItems", must.max_size}};
  } else if constexpr (detail::is_map<T>::value) {
    return {{"type", "object"},
            {"additionalProperties", schema_of_value<typename T::mapped_type>(schemas, {})}};
  } else if constexpr (detail::is_optional<T>::value) {
    auto inner = schema_of_value<typename T::value_type>(schemas, must);
    // A reference must stand alone in OpenAPI 3.0, hence the allOf.
    if (inner.contains("$ref"))
      return {{"allOf", json::array({inner})}, {"nullable", true}};
    inner["nullable"] = true;
    return inner;
  } else if constexpr (std::is_floating_point_v<T>) {
    return {{"type", "number"}};
  } else if constexpr (std::is_integral_v<T>) {
    auto out = json{{"type", "integer"}, {"format", sizeof(T) > 4 ? "int64" : "int32"}};
    if (must.min != rule{}.min)
      out["minimum"] = must.min;
    else if (std::is_unsigned_v<T>)
      out["minimum"] = 0;
    if (must.max != rule{}.max)
      out["maximum"] = must.max;
    return out;
  } else {
    auto out = json{{"type", "string"}};
    describe_text_rule(out, must);
    return out;
  }
}

template <record T>
void describe_record(json& schemas) {
  auto name = std::string{schema_name<T>()};
  if (schemas.contains(name))
    return;
  schemas[name] = json::object();
  auto properties = json::object();
  auto required = json::array();
  for_each_field<T>([&]<class M>(const field<T, M>& m) {
    if (m.must.secret)
      return;
    auto schema = schema_of_value<M>(schemas, m.must);
    if (*m.must.doc && !schema.contains("$ref"))
      schema["description"] = m.must.doc;
    if (m.must.required)
      required.push_back(m.name);
    properties[m.name] = std::move(schema);
  });
  schemas[name] = {{"type", "object"}, {"properties", std::move(properties)}};
  if (!required.empty())
    schemas[name]["required"] = std::move(required);
}

/// Returns the reference to a record for the route table.
template <record T>
constexpr schema_ref schema_of() {
  return {schema_name<T>(), &describe_record<T>};
}

} // namespace troupe
