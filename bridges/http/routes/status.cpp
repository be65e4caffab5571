#include "bridges/http/routes/status.hpp"

#include <algorithm>
#include <charconv>
#include <span>

namespace troupe {

namespace {

/// "repositories[0].url" -> ["body", "repositories", 0, "url"].
json fastapi_location(std::string_view place) {
  auto out = json::array({"body"});
  while (!place.empty()) {
    auto end = place.find_first_of(".[]");
    auto part = place.substr(0, end);
    auto index = size_t{0};
    auto [rest, err] = std::from_chars(part.data(), part.data() + part.size(), index);
    if (err == std::errc{} && rest == part.data() + part.size())
      out.push_back(index);
    else if (!part.empty())
      out.push_back(std::string{part});
    place.remove_prefix(end == std::string_view::npos ? place.size() : end + 1);
  }
  return out;
}

/// Our words, those of pydantic 2 and its type of fault.
struct pydantic_words {
  std::string_view ours;
  std::string_view message;
  std::string_view type;
};

constexpr pydantic_words known_words[] = {
  {"is required", "Field required", "missing"},
  {"must be a string", "Input should be a valid string", "string_type"},
  {"must be a whole number", "Input should be a valid integer", "int_type"},
  {"must be true or false", "Input should be a valid boolean", "bool_type"},
  {"must be a list", "Input should be a valid list", "list_type"},
  {"must be an object", "Input should be a valid dictionary", "dict_type"},
};

json fastapi_fault(const json_fault& fault) {
  auto message = "Value error, " + fault.text;
  auto type = std::string_view{"value_error"};
  for (const auto& words : known_words)
    if (fault.text == words.ours) {
      message = words.message;
      type = words.type;
    }
  return {{"loc", fastapi_location(fault.place)}, {"msg", message}, {"type", type}};
}

json native_body(ec code, const std::string& text, const std::string& place, json faults) {
  auto error = json{{"code", to_string(code)}, {"message", text}, {"place", place}};
  if (!faults.empty())
    error["faults"] = std::move(faults);
  return {{"error", std::move(error)}};
}

bool passes_by_itself(int status) {
  return status == 503 || status == 429;
}

} // namespace

int http_status(ec code) {
  switch (code) {
    case ec::invalid_argument: return 422;
    case ec::unsupported: return 422;
    case ec::unauthorized: return 401;
    case ec::forbidden: return 403;
    case ec::not_found: return 404;
    case ec::conflict:
    case ec::stale_run: return 409;
    case ec::gone: return 410;
    case ec::too_large: return 413;
    case ec::saturated:
    case ec::unavailable:
    case ec::timeout:
    case ec::disk_full:
    case ec::canceled: return 503;
    case ec::unspecified:
    case ec::invalid_config:
    case ec::corrupt: return 500;
  }
  return 500;
}

http_response json_response(int status, const json& body) {
  auto out = http_response{};
  out.status = status;
  out.body = json_text(body);
  return out;
}

http_response text_response(int status, std::string text) {
  auto out = http_response{};
  out.status = status;
  out.content_type = "text/plain; charset=utf-8";
  out.body = std::move(text);
  return out;
}

http_response detail_response(int status, std::string_view text) {
  return json_response(status, {{"detail", text}});
}

http_response error_response(dialect words, const caf::error& why) {
  auto parts = explain(why);
  auto status = http_status(parts.code);
  auto out = http_response{};
  if (words == dialect::alts)
    out = json_response(status, {{"success", false},
                                 {"error_description", one_line(why)},
                                 {"api_version", alts_api_version}});
  else
    out = json_response(status, native_body(parts.code, parts.text, parts.place, {}));
  if (passes_by_itself(status))
    out.headers.emplace("Retry-After", "1");
  if (status == 401)
    out.headers.emplace("WWW-Authenticate", "Bearer");
  return out;
}

http_response fault_response(dialect words, const std::vector<json_fault>& all) {
  auto shown = std::min(all.size(), json_reader::most_faults);
  auto faults = std::span{all.data(), shown};
  if (words == dialect::alts) {
    auto detail = json::array();
    for (const auto& fault : faults)
      detail.push_back(fastapi_fault(fault));
    return json_response(422, {{"detail", std::move(detail)}});
  }
  auto list = json::array();
  // The whole body is a place too.
  auto place_of = [](const std::string& place) { return place.empty() ? "body" : place; };
  for (const auto& fault : faults)
    list.push_back({{"place", place_of(fault.place)}, {"text", fault.text}});
  auto parts = explain(to_error(all));
  parts.place = place_of(parts.place);
  return json_response(422, native_body(parts.code, parts.text, parts.place, std::move(list)));
}

http_response syntax_response(dialect words, const caf::error& why) {
  auto parts = explain(why);
  if (words != dialect::alts)
    return json_response(400, native_body(parts.code, parts.text, parts.place, {}));
  auto place = json::array({"body"});
  auto offset = size_t{0};
  constexpr auto prefix = std::string_view{"offset "};
  if (parts.place.starts_with(prefix)) {
    std::from_chars(parts.place.data() + prefix.size(), parts.place.data() + parts.place.size(),
                    offset);
    place.push_back(offset);
  }
  auto fault = json{{"loc", std::move(place)},
                    {"msg", "JSON decode error"},
                    {"type", "json_invalid"},
                    {"ctx", {{"error", parts.text}}}};
  return json_response(422, {{"detail", json::array({std::move(fault)})}});
}

} // namespace troupe
