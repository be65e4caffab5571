#include "bridges/http/routes/machine_answer.hpp"

#include "bridges/http/routes/naive_time.hpp"

namespace troupe {

json json_of(const machine_view& x) {
  auto out = write_json(x);
  auto seen = to_naive(x.lastseen);
  out["lastseen"] = seen.empty() ? json{} : json(std::move(seen));
  return out;
}

http_response machine_failure(const call& c, const caf::error& why) {
  auto takes_json = c.in.header("accept").find("application/json") != std::string_view::npos;
  if (explain(why).code != ec::not_found || takes_json)
    return c.fail(why);
  auto out = text_response(404, "unknown machine");
  out.content_type = "text/html; charset=utf-8";
  return out;
}

const std::string& machine_of(const call& c) {
  return c.path("machine_id");
}

bool machines_are_open(const route_options& options, const http_request&) {
  return options.compat.machines_open;
}

} // namespace troupe
