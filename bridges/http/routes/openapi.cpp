#include "bridges/http/routes/openapi.hpp"

namespace troupe {

namespace {

json reference(std::string_view name) {
  return {{"$ref", "#/components/schemas/" + std::string{name}}};
}

/// "{name*}" is ours; OpenAPI knows "{name}".
std::string openapi_path(std::string_view pattern) {
  auto out = std::string{pattern};
  if (auto star = out.find("*}"); star != std::string::npos)
    out.erase(star, 1);
  return out;
}

json path_parameters(std::string_view path) {
  auto out = json::array();
  for (auto open = path.find('{'); open != std::string_view::npos;
       open = path.find('{', open + 1)) {
    auto name = path.substr(open + 1, path.find('}', open) - open - 1);
    out.push_back(
      {{"name", name}, {"in", "path"}, {"required", true}, {"schema", {{"type", "string"}}}});
  }
  return out;
}

json query_schema(const query_parameter& p) {
  switch (p.type) {
    case parameter_type::text: break;
    case parameter_type::flag: return {{"type", "boolean"}};
    case parameter_type::whole:
      return {{"type", "integer"}, {"format", "int64"}, {"minimum", p.min}, {"maximum", p.max}};
    case parameter_type::word: {
      auto out = json{{"type", "string"}};
      auto words = rule{};
      words.one_of = p.one_of.c_str();
      describe_text_rule(out, words);
      return out;
    }
  }
  return {{"type", "string"}};
}

/// "tag.*" becomes a free-form object, of which each key is a parameter of its own.
json query_parameter_object(const query_parameter& p) {
  if (!p.name.ends_with(".*"))
    return {{"name", p.name}, {"in", "query"}, {"description", p.doc}, {"schema", query_schema(p)}};
  auto map = json{{"type", "object"}, {"additionalProperties", query_schema(p)}};
  return {{"name", p.name.substr(0, p.name.size() - 2)},
          {"in", "query"},
          {"description", p.doc},
          {"style", "form"},
          {"explode", true},
          {"schema", std::move(map)}};
}

json failure(std::string_view text, dialect words) {
  auto name = words == dialect::alts ? "alts_failure" : "failure";
  return {{"description", text},
          {"content", {{"application/json", {{"schema", reference(name)}}}}}};
}

json responses(const route& row, json& schemas) {
  auto out = json::object();
  if (row.least != token_level::none) {
    out["401"] = failure("No valid token.", row.words);
    out["403"] = failure("The token does not allow it.", row.words);
    out["429"] = failure("Too many requests; see Retry-After.", row.words);
    out["503"] = failure("A part is absent or busy; see Retry-After.", row.words);
  }
  if (row.path.find('{') != std::string_view::npos)
    out["404"] = failure("There is no such thing.", row.words);
  if (row.request || !row.query.empty())
    out["422"] = failure("A field is wrong; its path is named.", row.words);
  if (row.request) {
    if (row.words == dialect::native)
      out["400"] = failure("The body is not JSON.", row.words);
    out["413"] = failure("The body is too large.", row.words);
  }
  for (const auto& a : row.answers) {
    auto one = json{{"description", a.doc}};
    auto schema = json{{"type", "string"}};
    if (a.body) {
      a.body.describe(schemas);
      schema = reference(a.body.name);
    } else if (a.media == "application/json") {
      schema = json::object();
    }
    if (!a.media.empty())
      one["content"][std::string{a.media}]["schema"] = std::move(schema);
    out[std::to_string(a.status)] = std::move(one);
  }
  return out;
}

/// "GET /jobs/{job_id}" -> "get_jobs_job_id".
std::string operation_id(const route& row) {
  auto out = std::string{};
  for (auto c : std::string{row.method} + std::string{row.path}) {
    if (c >= 'A' && c <= 'Z')
      out += static_cast<char>(c - 'A' + 'a');
    else if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))
      out += c;
    else if (out.empty() || out.back() != '_')
      out += '_';
  }
  while (out.ends_with('_'))
    out.pop_back();
  return row.path.ends_with('/') ? out + "_slash" : out;
}

json operation(const route& row, json& schemas) {
  auto parameters = path_parameters(openapi_path(row.path));
  for (const auto& p : row.query)
    parameters.push_back(query_parameter_object(p));
  auto out = json{{"tags", json::array({row.tag})},
                  {"summary", row.summary},
                  {"operationId", operation_id(row)},
                  {"responses", responses(row, schemas)}};
  if (!parameters.empty())
    out["parameters"] = std::move(parameters);
  if (row.request) {
    row.request.describe(schemas);
    out["requestBody"] = {
      {"required", true},
      {"content", {{"application/json", {{"schema", reference(row.request.name)}}}}}};
  }
  if (row.least != token_level::none) {
    out["security"] = json::array({{{"bearer", json::array()}}});
    out["description"] = "Needs the role " + std::string{name_of(row.least)} + '.';
  }
  return out;
}

/// The bodies of failures: the same for every route of a dialect.
json failure_schemas() {
  auto text = json{{"type", "string"}};
  auto fault = json{{"type", "object"}, {"properties", {{"place", text}, {"text", text}}}};
  auto faults = json{{"type", "array"}, {"items", fault}};
  auto error =
    json{{"type", "object"},
         {"required", json::array({"code", "message", "place"})},
         {"properties", {{"code", text}, {"message", text}, {"place", text}, {"faults", faults}}}};
  auto alts = json{{"success", {{"type", "boolean"}}},
                   {"error_description", text},
                   {"api_version", text},
                   {"detail", json::object()}};
  return {{"failure",
           {{"type", "object"},
            {"required", json::array({"error"})},
            {"properties", {{"error", error}}}}},
          {"alts_failure", {{"type", "object"}, {"properties", alts}}}};
}

} // namespace

json openapi_document(const std::vector<route>& table) {
  auto schemas = failure_schemas();
  auto paths = json::object();
  for (const auto& row : table) {
    auto method = std::string{row.method};
    for (auto& c : method)
      c = static_cast<char>(c - 'A' + 'a');
    paths[openapi_path(row.path)][method] = operation(row, schemas);
  }
  auto bearer = json{{"type", "http"}, {"scheme", "bearer"}, {"bearerFormat", "JWT"}};
  return {
    {"openapi", "3.0.3"},
    {"info",
     {{"title", "Troupe"},
      {"version", "1"},
      {"description", "Jobs, their runs, logs and artifacts."},
      {"license", {{"name", "Apache-2.0"}}}}},
    {"paths", std::move(paths)},
    {"components", {{"schemas", std::move(schemas)}, {"securitySchemes", {{"bearer", bearer}}}}}};
}

} // namespace troupe
