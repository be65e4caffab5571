#pragma once

#include "bridges/http/options.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace troupe {

/// Why the guard ends a request.
struct http_refusal {
  int status = 400;
  std::string_view code; ///< Stable word for the JSON answer.
  std::string_view text; ///< For people; never holds bytes of the request.
};

/// The request line and the headers, checked.
struct request_head {
  std::string method;
  std::string target;                              ///< As sent.
  std::string path;                                ///< Decoded.
  std::multimap<std::string, std::string> query;   ///< Decoded.
  std::multimap<std::string, std::string> headers; ///< Names in lower case.
  std::optional<uint64_t> content_length;
  bool chunked = false;
  bool keep_alive = true;
  bool old = false; ///< HTTP/1.0: no chunks, no keep-alive.
  bool expects_continue = false;

  /// True if bytes of a body follow.
  bool has_body() const {
    return chunked || content_length.value_or(0) > 0;
  }
};

/// Reads a whole head without its final empty line; lines end in CRLF. Whatever
/// two parsers could read differently is refused.
/// Source: RFC 9112 2.2, 3, 5, 6; spec/reliability_security.md S15, S16.
std::optional<http_refusal> parse_request_head(std::string_view text, const http_options& limits,
                                               request_head& out);

/// Refuses a header line that is no `name: value`; otherwise splits it.
std::optional<http_refusal> split_header_line(std::string_view line, std::string_view& name,
                                              std::string_view& value);

} // namespace troupe
