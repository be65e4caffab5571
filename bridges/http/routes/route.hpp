#pragma once

#include "bridges/http/jwt.hpp"
#include "bridges/http/routes/route_options.hpp"
#include "bridges/http/routes/schema.hpp"
#include "bridges/http/routes/status.hpp"

#include <cstdint>
#include <limits>
#include <vector>

namespace troupe {

struct call;

enum class parameter_type : uint8_t {
  text,
  whole, ///< A whole number within `min` and `max`.
  flag,  ///< "1", "true", "0", "false".
  word,  ///< One of `one_of`.
};

/// One query parameter of a route. A name that ends in ".*" stands for all with that prefix.
struct query_parameter {
  std::string_view name;
  std::string_view doc;
  parameter_type type = parameter_type::text;
  std::string one_of = {}; ///< Words separated by '|'.
  int64_t min = 0;
  int64_t max = std::numeric_limits<int64_t>::max();
};

/// One answer of a route beside the failures that every route shares.
struct route_answer {
  int status = 200;
  std::string_view doc;
  schema_ref body = {};
  std::string_view media = "application/json";
};

/// One row of the route table: everything that is known of a route. Routing,
/// the right to call, validation, `/openapi.json` and the tests come from it.
struct route {
  std::string_view method;
  std::string_view path; ///< "/jobs/{job_id}"; "{name*}" at the end takes the rest of the path.
  token_level least = token_level::admin;
  bool (*open)(const route_options&, const http_request&) = nullptr; ///< True = no token needed.
  std::string_view tag;
  std::string_view summary;
  std::vector<query_parameter> query = {};
  schema_ref request = {};
  std::vector<route_answer> answers;
  size_t max_body = 0; ///< Bytes; 0 = none is read.
  dialect words = dialect::native;
  http_response (*run)(call&) = nullptr;
};

/// Returns every route of the bridge, grouped by file.
std::vector<route> route_table();

std::vector<route> task_routes();
std::vector<route> job_routes();
std::vector<route> submission_routes();
std::vector<route> command_routes();
std::vector<route> stream_routes();
std::vector<route> artifact_routes();
std::vector<route> runner_routes();
std::vector<route> node_routes();
std::vector<route> dead_letter_routes();
std::vector<route> statistics_routes();
std::vector<route> object_routes();
std::vector<route> machine_routes();
std::vector<route> machine_change_routes();
std::vector<route> health_routes();
std::vector<route> metrics_routes();
std::vector<route> docs_routes();

} // namespace troupe
