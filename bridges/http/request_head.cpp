#include "bridges/http/request_head.hpp"

#include "bridges/http/url_text.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace troupe {

namespace {

using refusal = std::optional<http_refusal>;

refusal bad(std::string_view text) {
  return http_refusal{400, "bad_request", text};
}

constexpr auto token_chars = [] {
  auto table = std::array<bool, 256>{};
  for (auto c : std::string_view{"!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"
                                 "ABCDEFGHIJKLMNOPQRSTUVWXYZ"})
    table[static_cast<unsigned char>(c)] = true;
  return table;
}();

bool is_token(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return token_chars[static_cast<unsigned char>(c)];
  });
}

std::string lower(std::string_view text) {
  auto out = std::string{text};
  for (auto& c : out)
    if (c >= 'A' && c <= 'Z')
      c = static_cast<char>(c + ('a' - 'A'));
  return out;
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t'))
    text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t'))
    text.remove_suffix(1);
  return text;
}

bool is_method(std::string_view text) {
  static constexpr std::string_view known[] = {"GET",    "POST",    "HEAD", "PUT",
                                               "DELETE", "OPTIONS", "PATCH"};
  return std::find(std::begin(known), std::end(known), text) != std::end(known);
}

/// httplib counts the whole request line against 8192 bytes; stay below.
constexpr size_t max_target = 8000;

refusal read_target(std::string_view target, request_head& out) {
  if (target.empty() || target.front() != '/')
    return bad("the target must be a path");
  if (target.size() > max_target)
    return http_refusal{414, "too_large", "the target is too long"};
  for (auto c : target)
    if (c <= 0x20 || c >= 0x7F || c == '#' || c == '"' || c == '<' || c == '>' || c == '\\')
      return bad("the target has a character that must be escaped");
  auto mark = std::min(target.find('?'), target.size());
  auto path = decode_path(target.substr(0, mark));
  if (!path)
    return bad("the path is not in plain form");
  auto query = decode_query(target.substr(std::min(mark + 1, target.size())));
  if (!query)
    return bad("the query has a broken escape");
  out.target = target;
  out.path = std::move(*path);
  out.query = std::move(*query);
  return std::nullopt;
}

refusal read_request_line(std::string_view line, request_head& out) {
  auto first = line.find(' ');
  auto last = line.rfind(' ');
  if (first == line.npos || first == last)
    return bad("the request line must be: method, target, version");
  auto method = line.substr(0, first);
  auto version = line.substr(last + 1);
  if (!is_token(method))
    return bad("the method is not a word");
  if (version.size() != 8 || !version.starts_with("HTTP/") || version[6] != '.' || version[5] < '0'
      || version[5] > '9' || version[7] < '0' || version[7] > '9')
    return bad("the version is malformed");
  if (version != "HTTP/1.1" && version != "HTTP/1.0")
    return http_refusal{505, "unsupported", "only HTTP/1.1 and HTTP/1.0 are spoken here"};
  if (!is_method(method))
    return http_refusal{501, "unsupported", "unknown method"};
  out.method = method;
  out.old = version == "HTTP/1.0";
  out.keep_alive = !out.old;
  return read_target(line.substr(first + 1, last - first - 1), out);
}

bool has_word(std::string_view list, std::string_view word) {
  while (!list.empty()) {
    auto end = std::min(list.find(','), list.size());
    if (lower(trim(list.substr(0, end))) == word)
      return true;
    list.remove_prefix(std::min(end + 1, list.size()));
  }
  return false;
}

/// Headers whose repetition two parsers would resolve differently.
bool is_single(std::string_view name) {
  static constexpr std::string_view names[] = {
    "host",         "content-length",   "transfer-encoding", "authorization", "expect",
    "content-type", "content-encoding", "idempotency-key",   "last-event-id"};
  return std::find(std::begin(names), std::end(names), name) != std::end(names);
}

refusal read_host(std::string_view host) {
  auto fits = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.'
           || c == '-' || c == '_' || c == ':' || c == '[' || c == ']';
  };
  if (host.empty() || !std::all_of(host.begin(), host.end(), fits))
    return bad("the host is malformed");
  return std::nullopt;
}

refusal read_length(std::string_view text, request_head& out) {
  auto value = uint64_t{0};
  auto digits =
    !text.empty() && text.size() <= 18
    && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (!digits)
    return bad("the content length is not one plain number");
  std::from_chars(text.data(), text.data() + text.size(), value);
  out.content_length = value;
  return std::nullopt;
}

/// Acts on the headers that steer this connection.
refusal apply_header(std::string_view name, std::string_view value, request_head& out) {
  if (name == "host")
    return read_host(value);
  if (name == "content-length")
    return read_length(value, out);
  if (name == "transfer-encoding") {
    if (out.old)
      return bad("HTTP/1.0 has no transfer codings");
    if (lower(value) != "chunked")
      return http_refusal{501, "unsupported", "the only transfer coding is chunked"};
    out.chunked = true;
  } else if (name == "content-encoding" && !value.empty() && lower(value) != "identity") {
    return http_refusal{415, "unsupported", "bodies must not be compressed"};
  } else if (name == "connection") {
    if (has_word(value, "close"))
      out.keep_alive = false;
  } else if (name == "expect") {
    if (lower(value) != "100-continue")
      return http_refusal{417, "unsupported", "unknown expectation"};
    out.expects_continue = !out.old;
  }
  return std::nullopt;
}

} // namespace

std::optional<http_refusal> split_header_line(std::string_view line, std::string_view& name,
                                              std::string_view& value) {
  if (line.front() == ' ' || line.front() == '\t')
    return bad("folded header lines are obsolete");
  auto colon = line.find(':');
  if (colon == line.npos || !is_token(line.substr(0, colon)))
    return bad("a header name is malformed");
  name = line.substr(0, colon);
  value = trim(line.substr(colon + 1));
  for (auto c : value)
    if ((static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7F)
      return bad("a header value has a control character");
  return std::nullopt;
}

std::optional<http_refusal> parse_request_head(std::string_view text, const http_options& limits,
                                               request_head& out) {
  auto end = std::min(text.find("\r\n"), text.size());
  if (auto why = read_request_line(text.substr(0, end), out))
    return why;
  text.remove_prefix(std::min(end + 2, text.size()));
  for (auto lines = size_t{0}; !text.empty(); ++lines) {
    end = std::min(text.find("\r\n"), text.size());
    auto line = text.substr(0, end);
    text.remove_prefix(std::min(end + 2, text.size()));
    if (lines == limits.max_header_lines)
      return http_refusal{431, "too_large", "too many header lines"};
    if (line.empty())
      return bad("an empty line inside the head");
    auto name = std::string_view{};
    auto value = std::string_view{};
    if (auto why = split_header_line(line, name, value))
      return why;
    auto key = lower(name);
    if (is_single(key) && out.headers.count(key) > 0)
      return bad("a header that may occur once occurs twice");
    if (auto why = apply_header(key, value, out))
      return why;
    out.headers.emplace(std::move(key), value);
  }
  if (out.chunked && out.content_length)
    return bad("content length and transfer coding exclude each other");
  if (!out.old && out.headers.count("host") == 0)
    return bad("the host is missing");
  return std::nullopt;
}

} // namespace troupe
