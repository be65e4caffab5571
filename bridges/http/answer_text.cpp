#include "bridges/http/answer_text.hpp"

#include "messages/json.hpp"

#include <strings.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace troupe {

namespace {

bool is_header(const std::string& name, const char* other) {
  return ::strcasecmp(name.c_str(), other) == 0;
}

bool breaks_framing(const std::string& name, const std::string& value) {
  auto bad = [](char c) {
    return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7F;
  };
  return name.empty()
         || std::any_of(name.begin(), name.end(),
                        [&](char c) { return bad(c) || c == ':' || c == ' '; })
         || std::any_of(value.begin(), value.end(), bad) || is_header(name, "content-length")
         || is_header(name, "transfer-encoding") || is_header(name, "connection")
         || is_header(name, "content-type");
}

std::string_view reason_phrase(int status) {
  switch (status) {
    case 200: return "OK";
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 408: return "Request Timeout";
    case 413: return "Payload Too Large";
    case 414: return "URI Too Long";
    case 415: return "Unsupported Media Type";
    case 417: return "Expectation Failed";
    case 429: return "Too Many Requests";
    case 431: return "Request Header Fields Too Large";
    case 500: return "Internal Server Error";
    case 501: return "Not Implemented";
    case 503: return "Service Unavailable";
    case 505: return "HTTP Version Not Supported";
    default: return "Status"; // Clients go by the number.
  }
}

} // namespace

http_response error_answer(int status, std::string_view code, std::string_view text,
                           std::string_view place) {
  auto out = http_response{};
  out.status = status;
  out.body = json_text({{"error", {{"code", code}, {"message", text}, {"place", place}}}});
  return out;
}

void complete_headers(http_response& x, std::string_view request_id) {
  auto cached = false;
  for (auto i = x.headers.begin(); i != x.headers.end();) {
    cached = cached || is_header(i->first, "cache-control");
    i = breaks_framing(i->first, i->second) ? x.headers.erase(i) : std::next(i);
  }
  if (!cached)
    x.headers.emplace("Cache-Control", "no-store");
  x.headers.emplace("X-Content-Type-Options", "nosniff");
  x.headers.emplace("X-Request-Id", request_id);
}

std::string answer_head(const http_response& x, std::string_view request_id, answer_end end,
                        bool keep_alive) {
  auto full = http_response{};
  full.headers = x.headers;
  complete_headers(full, request_id);
  auto out = std::string{"HTTP/1.1 "};
  out += std::to_string(x.status);
  out += ' ';
  out += reason_phrase(x.status);
  out += "\r\n";
  auto add = [&](std::string_view name, std::string_view value) {
    out.append(name).append(": ").append(value).append("\r\n");
  };
  for (const auto& [name, value] : full.headers)
    add(name, value);
  if (!x.content_type.empty())
    add("Content-Type", x.content_type);
  if (end == answer_end::length)
    add("Content-Length", std::to_string(x.body.size()));
  else if (end == answer_end::chunks)
    add("Transfer-Encoding", "chunked");
  if (!keep_alive || end == answer_end::close)
    add("Connection", "close");
  out += "\r\n";
  return out;
}

std::string chunk_of(std::string_view bytes) {
  auto size = std::array<char, 16>{};
  auto end = std::to_chars(size.data(), size.data() + size.size(), bytes.size(), 16).ptr;
  auto out = std::string{size.data(), end};
  out.append("\r\n").append(bytes).append("\r\n");
  return out;
}

} // namespace troupe
