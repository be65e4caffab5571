#include "bridges/http/routes/router.hpp"

#include "bridges/http/routes/openapi.hpp"
#include "config/log.hpp"

#include <algorithm>
#include <cctype>

namespace troupe {

namespace {

/// Takes the part up to the next '/' off the front.
std::string_view take_part(std::string_view& path) {
  auto slash = path.find('/');
  auto part = path.substr(0, slash);
  path.remove_prefix(slash == std::string_view::npos ? path.size() : slash + 1);
  return part;
}

/// Matches segment by segment: "{name}" takes one that is not empty, "{name*}" the rest.
bool matches(std::string_view pattern, std::string_view path,
             std::map<std::string, std::string, std::less<>>& values) {
  if (pattern == path)
    return true;
  if (path.empty() || path.front() != '/')
    return false;
  pattern.remove_prefix(1);
  path.remove_prefix(1);
  while (!pattern.empty()) {
    auto more = path.find('/') != std::string_view::npos;
    auto want = take_part(pattern);
    if (want.ends_with("*}")) {
      values.emplace(want.substr(1, want.size() - 3), path);
      return !path.empty();
    }
    auto got = take_part(path);
    if (want.front() == '{') {
      if (got.empty())
        return false;
      values.emplace(want.substr(1, want.size() - 2), got);
    } else if (want != got) {
      return false;
    }
    if (more != !pattern.empty())
      return false;
  }
  return path.empty();
}

std::string lower(std::string_view text) {
  auto out = std::string{text};
  std::transform(out.begin(), out.end(), out.begin(),
                 [](unsigned char c) { return std::tolower(c); });
  return out;
}

http_response unauthorized(const route& row, const caf::error& why) {
  if (row.words == dialect::native)
    return error_response(row.words, why);
  auto out = detail_response(401, "Could not validate credentials");
  out.headers.emplace("WWW-Authenticate", "Bearer");
  return out;
}

} // namespace

router::router(caf::actor_system& sys, role_lookup roles, route_options options, token_check check)
  : table_{route_table()}, check_{std::move(check)}, context_{std::make_shared<route_context>(
                                                       sys, std::move(roles), std::move(options))} {
  context_->openapi = json_text(openapi_document(table_));
}

router::match router::find(std::string_view method, std::string_view path) const {
  auto out = match{};
  // What writes the answer leaves the body out.
  if (method == "HEAD")
    method = "GET";
  for (const auto& row : table_) {
    auto values = std::map<std::string, std::string, std::less<>>{};
    if (!matches(row.path, path, values))
      continue;
    if (row.method == method) {
      out.row = &row;
      out.path = std::move(values);
      return out;
    }
    out.allow += (out.allow.empty() ? "" : ", ") + std::string{row.method};
    if (row.method == "GET")
      out.allow += ", HEAD";
  }
  return out;
}

http_response router::refuse_unmatched(const match& m) const {
  if (m.allow.empty())
    return error_response(dialect::native, fault(ec::not_found, "there is no such path"));
  auto out = error_response(dialect::native, fault(ec::unsupported, "the path has other methods"));
  out.status = 405;
  out.headers.emplace("Allow", m.allow);
  return out;
}

std::optional<http_response> router::authorize(const route& row, const http_request& in,
                                               identity& who) const {
  if (row.least == token_level::none || (row.open && row.open(context_->options, in)))
    return std::nullopt;
  auto copies_fastapi =
    row.words == dialect::alts && context_->options.compat.alts_missing_token_403;
  auto given = in.header("authorization");
  auto space = given.find(' ');
  auto token = given.substr(std::min(given.rfind(' '), given.size()));
  token.remove_prefix(std::min<size_t>(1, token.size()));
  if (space == std::string_view::npos || token.empty()) {
    if (copies_fastapi)
      return detail_response(403, "Not authenticated");
    return unauthorized(row, fault(ec::unauthorized, "a bearer token is needed"));
  }
  if (lower(given.substr(0, space)) != "bearer") {
    if (copies_fastapi)
      return detail_response(403, "Invalid authentication credentials");
    return unauthorized(row, fault(ec::unauthorized, "the token must be a bearer token"));
  }
  auto known = check_ ? check_(token) : fault(ec::unauthorized, "no token can be checked");
  if (!known)
    return unauthorized(row, known.error());
  who = std::move(*known);
  if (who.level >= row.least)
    return std::nullopt;
  auto text = "this needs the role " + std::string{name_of(row.least)};
  return row.words == dialect::alts ? detail_response(403, text)
                                    : error_response(row.words, fault(ec::forbidden, text));
}

body_verdict router::gate(const http_request& head) const {
  // Without a body nothing can fill memory: the worker answers, and the connection stays open.
  auto length = head.header("content-length");
  if (head.header("transfer-encoding").empty() && (length.empty() || length == "0"))
    return {};
  auto m = find(head.method, head.path);
  if (!m.row)
    return {0, refuse_unmatched(m)};
  auto who = identity{};
  if (auto refused = authorize(*m.row, head, who))
    return {0, std::move(refused)};
  return {m.row->max_body, std::nullopt};
}

http_response router::dispatch(const http_request& in, std::string_view& path) {
  auto m = find(in.method, in.path);
  if (!m.row)
    return refuse_unmatched(m);
  path = m.row->path;
  auto who = identity{};
  if (auto refused = authorize(*m.row, in, who))
    return std::move(*refused);
  if (m.row->words == dialect::native)
    if (auto faults = check_query(*m.row, in); !faults.empty())
      return fault_response(m.row->words, faults);
  auto c = call{*context_, *m.row, in, std::move(who), std::move(m.path)};
  return m.row->run(c);
}

http_response router::handle(const http_request& in) {
  auto out = http_response{};
  auto path = std::string_view{"none"};
  auto began = std::chrono::steady_clock::now();
  try {
    out = dispatch(in, path);
  } catch (const std::exception& why) {
    log(log_level::error, "http", "a route failed",
        {{"path", in.path}, {"request", in.request_id}, {"why", why.what()}});
    out = error_response(dialect::native, fault(ec::unspecified, "internal error"));
  }
  context_->requests.count(path, in.method, out.status, std::chrono::steady_clock::now() - began);
  return out;
}

std::vector<route> route_table() {
  auto out = std::vector<route>{};
  for (auto rows : {task_routes, job_routes, submission_routes, command_routes, stream_routes,
                    artifact_routes, runner_routes, dead_letter_routes, node_routes, object_routes,
                    machine_routes, statistics_routes, health_routes, metrics_routes, docs_routes})
    for (auto& row : rows())
      out.push_back(std::move(row));
  return out;
}

} // namespace troupe
