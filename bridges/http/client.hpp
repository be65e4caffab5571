#pragma once

#include "messages/error.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

namespace troupe {

/// Where a client calls, and how patiently.
struct http_client_options {
  std::string host = "127.0.0.1";
  uint16_t port = 8000;
  std::string token = {}; ///< Sent as `Authorization: Bearer`, if not empty.
  std::chrono::milliseconds connect_timeout{5000};
  std::chrono::milliseconds read_timeout{30000}; ///< Between two reads.
  size_t max_body = 256 << 20;                   ///< Of an answer.
};

/// Reads "http://host:port", "host:port" or "host" into options.
/// Errors: `ec::invalid_argument` (another scheme, a path, a bad port).
caf::expected<http_client_options> parse_server_url(std::string_view url);

using http_headers = std::multimap<std::string, std::string>;

/// What a server answered. Any status is an answer, not an error.
struct http_answer {
  int status = 0;
  http_headers headers; ///< Names in lower case.
  std::string body;

  /// Returns the first value of a header or "", by its lower-case name.
  std::string_view header(const std::string& name) const;
};

/// One event of a live stream. Source: WHATWG HTML 9.2 (server-sent events).
struct server_event {
  std::string id;   ///< The last id seen on the stream, for `Last-Event-ID`.
  std::string name; ///< "message" if the server gave none.
  std::string text; ///< Lines joined by '\n'.
};

/// Told of every event; returns false to end the stream. Keep-alive comments are not events.
using event_callback = std::function<bool(const server_event&)>;

/// Calls an HTTP server, one request at a time over a kept connection; no TLS,
/// no redirects, no proxies.
///
/// Threads: one at a time; every call blocks.
class http_client {
public:
  explicit http_client(http_client_options options);
  ~http_client();
  http_client(http_client&&) noexcept;
  http_client& operator=(http_client&&) noexcept;

  /// Sends a request and returns the whole answer. A body without a
  /// "Content-Type" header is sent as application/json.
  /// Errors: `ec::unavailable` (no connection, cut off), `ec::timeout`, `ec::too_large`.
  caf::expected<http_answer> request(std::string_view method, const std::string& path,
                                     std::string body = {}, const http_headers& headers = {});

  caf::expected<http_answer> get(const std::string& path) {
    return request("GET", path);
  }
  caf::expected<http_answer> post(const std::string& path, std::string body) {
    return request("POST", path, std::move(body));
  }

  /// Reads a live stream until it ends or `on_event` returns false; reconnecting
  /// with `Last-Event-ID` is the caller's. An answer that is no event stream
  /// comes back with its body and calls nobody.
  /// Errors: as `request`; a stream cut by the peer is `ec::unavailable`.
  caf::expected<http_answer> follow(const std::string& path, const http_headers& headers,
                                    const event_callback& on_event);

private:
  struct connection;
  std::unique_ptr<connection> connection_;
};

} // namespace troupe
