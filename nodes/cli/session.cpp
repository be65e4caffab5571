#include "nodes/cli/session.hpp"

#include <cstdint>
#include <cstdio>

namespace troupe::cli {

namespace {

/// A list of a thousand jobs has more keys than a stranger's request may have.
constexpr auto answer_limits = json_limits{64, 5'000'000};

std::string escaped(std::string_view text, std::string_view keep = "") {
  auto out = std::string{};
  for (auto c : text) {
    auto plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')
                 || c == '-' || c == '_' || c == '.' || c == '~'
                 || keep.find(c) != std::string_view::npos;
    if (plain) {
      out += c;
      continue;
    }
    char hex[4];
    std::snprintf(hex, sizeof hex, "%%%02X", static_cast<uint8_t>(c));
    out += hex;
  }
  return out;
}

ec code_of(int status) {
  switch (status) {
    case 400:
    case 422: return ec::invalid_argument;
    case 401: return ec::unauthorized;
    case 403: return ec::forbidden;
    case 404:
    case 405: return ec::not_found;
    case 409: return ec::conflict;
    case 410: return ec::gone;
    case 413: return ec::too_large;
    case 429: return ec::saturated;
    default: return ec::unavailable;
  }
}

std::string text_at(const json& in, const char* key) {
  auto i = in.is_object() ? in.find(key) : in.end();
  return i != in.end() && i->is_string() ? i->get<std::string>() : std::string{};
}

/// Returns "place: text" of every fault, one a line.
std::string faults_of(const json& error) {
  auto out = std::string{};
  auto faults = error.find("faults");
  if (faults == error.end() || !faults->is_array())
    return out;
  for (const auto& f : *faults)
    out += (out.empty() ? "" : "\n") + text_at(f, "place") + ": " + text_at(f, "text");
  return out;
}

std::string advice_for(int status) {
  if (status == 401)
    return "; give a token with --token-file or TROUPE_TOKEN, or name the data folder of the node "
           "on this machine with --data";
  return {};
}

} // namespace

std::string target(std::string path, const query& parameters) {
  auto separator = '?';
  for (const auto& [name, value] : parameters) {
    if (value.empty())
      continue;
    path += separator + escaped(name) + '=' + escaped(value);
    separator = '&';
  }
  return path;
}

std::string escaped_path(std::string_view path) {
  return escaped(path, "/");
}

caf::error failure_of(const http_answer& answer) {
  auto code = code_of(answer.status);
  auto body = parse_json_text(answer.body, answer_limits);
  auto error = body && body->is_object() ? body->value("error", json::object()) : json::object();
  if (error.is_object() && !text_at(error, "message").empty()) {
    if (auto all = faults_of(error); !all.empty())
      return fault(code, all);
    return fault_at(code, text_at(error, "place"),
                    text_at(error, "message") + advice_for(answer.status));
  }
  return fault(code,
               "the server answered " + std::to_string(answer.status) + advice_for(answer.status));
}

caf::expected<session> session::open(const settings& in) {
  auto to = connection_of(in);
  if (!to)
    return std::move(to.error());
  return session{in, std::move(*to)};
}

bool session::renew() {
  auto to = connection_of(settings_);
  if (!to)
    return false;
  auto other_token = to->token != options_.token;
  options_ = *to;
  client_ = http_client{std::move(*to)};
  return other_token;
}

caf::error session::cut(const caf::error& why) {
  auto at = address();
  renew();
  return fault_at(explain(why).code, std::move(at), explain(why).text);
}

caf::expected<std::string> session::request(std::string_view method, const std::string& path,
                                            std::string body, const http_headers& headers) {
  auto answer = client_.request(method, path, body, headers);
  if (answer && answer->status == 401 && renew())
    answer = client_.request(method, path, std::move(body), headers);
  if (!answer)
    return cut(answer.error());
  if (answer->status < 200 || answer->status > 299)
    return failure_of(*answer);
  return std::move(answer->body);
}

caf::expected<std::string> session::get_bytes(const std::string& path) {
  return request("GET", path, {}, {});
}

caf::expected<json> session::get(const std::string& path) {
  auto body = get_bytes(path);
  if (!body)
    return std::move(body.error());
  return parse_json_text(*body, answer_limits);
}

caf::expected<json> session::post(const std::string& path, const json& body,
                                  const http_headers& headers) {
  return send("POST", path, body, headers);
}

caf::expected<json> session::put(const std::string& path, const json& body) {
  return send("PUT", path, body, {});
}

caf::expected<json> session::remove(const std::string& path) {
  return send("DELETE", path, {}, {});
}

caf::expected<json> session::send(std::string_view method, const std::string& path,
                                  const json& body, const http_headers& headers) {
  auto answer = request(method, path, body.is_null() ? std::string{} : json_text(body), headers);
  if (!answer)
    return std::move(answer.error());
  return answer->empty() ? caf::expected<json>{json{}} : parse_json_text(*answer, answer_limits);
}

caf::error session::follow(const std::string& path, const http_headers& headers,
                           const event_callback& on_event) {
  auto answer = client_.follow(path, headers, on_event);
  if (answer && answer->status == 401 && renew())
    answer = client_.follow(path, headers, on_event);
  if (!answer)
    return cut(answer.error());
  if (answer->status < 200 || answer->status > 299)
    return failure_of(*answer);
  return caf::none;
}

std::string session::address() const {
  auto v6 = options_.host.find(':') != std::string::npos;
  return "http://" + (v6 ? '[' + options_.host + ']' : options_.host) + ':'
         + std::to_string(options_.port);
}

} // namespace troupe::cli
