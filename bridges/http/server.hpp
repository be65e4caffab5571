#pragma once

#include "bridges/http/options.hpp"
#include "messages/error.hpp"

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace troupe {

/// A complete, checked request.
struct http_request {
  std::string method;                              ///< Upper case.
  std::string path;                                ///< Decoded, without the query.
  std::multimap<std::string, std::string> query;   ///< Decoded.
  std::multimap<std::string, std::string> headers; ///< Names in lower case.
  std::string body;
  std::string remote;                             ///< Address of the peer, without port.
  std::string request_id;                         ///< For logs and the X-Request-Id header.
  std::chrono::steady_clock::time_point deadline; ///< The handler must have answered by then.

  /// Returns the first value of a header or "", by its lower-case name.
  std::string_view header(const std::string& name) const;
};

/// Writes a live stream (SSE). Copies share the connection.
///
/// Threads: any. The stream never holds a worker and never buffers more than
/// one write: write again only after `flushed` was called.
class stream_writer {
public:
  class connection;
  explicit stream_writer(std::shared_ptr<connection> to) : to_{std::move(to)} {}

  /// Sends bytes. `flushed(true)` is called once when they are with the kernel,
  /// `flushed(false)` if the peer is gone; on the server's loop thread, so it
  /// must not block.
  void write(std::string bytes, std::function<void(bool)> flushed);

  /// Ends the stream after what was written.
  void finish();

  /// False once the peer is gone: a producer without anything to write asks here.
  bool alive() const;

private:
  std::shared_ptr<connection> to_;
};

/// An answer. With `stream` set the body is ignored and the stream begins after
/// the headers.
struct http_response {
  int status = 200;
  std::string content_type = "application/json";
  std::string body;
  std::multimap<std::string, std::string> headers;
  std::function<void(stream_writer)> stream; ///< Called once on the loop thread; must not block.
};

/// Answers a request on a worker thread; may block until `request.deadline`.
using http_handler = std::function<http_response(const http_request&)>;

/// Tells the largest body that a request may have, before the body is read;
/// or an answer to give instead (unknown path, no token): then the connection closes.
struct body_verdict {
  size_t max_body = 0;
  std::optional<http_response> refuse;
};
using http_body_gate = std::function<body_verdict(const http_request& head)>;

/// What the server did and does, for tests and metrics.
struct http_counts {
  uint64_t accepted = 0;     ///< Connections.
  uint64_t refused = 0;      ///< Connections over a cap.
  uint64_t requests = 0;     ///< Complete requests.
  uint64_t bad_requests = 0; ///< Ended by the guard: malformed, too large, too slow.
  uint64_t open = 0;         ///< Connections now.
  uint64_t streams = 0;      ///< Live streams now.
  uint64_t buffered = 0;     ///< Bytes of unfinished requests and unsent answers now.
};

/// An HTTP/1.1 server that a stranger cannot freeze, fill or confuse: one loop
/// thread owns every connection until a whole request is there; workers answer.
/// Source: PLATFORM 2, spec/reliability_security.md S10, S14-S16.
///
/// Threads: all functions from any thread.
class http_server {
public:
  http_server(http_options options, http_body_gate gate, http_handler handler);
  ~http_server();
  http_server(const http_server&) = delete;
  http_server& operator=(const http_server&) = delete;

  /// Binds and starts. Errors: `ec::unavailable` with the address.
  caf::error start();

  /// Accepts no more, answers what is complete, then closes; at most `limit`.
  void stop(std::chrono::milliseconds limit);

  /// Returns the bound port (useful when 0 was asked for).
  uint16_t port() const;

  http_counts counts() const;

private:
  class loop;
  std::unique_ptr<loop> loop_;
};

} // namespace troupe
