#pragma once

#include "actors/runners/docker/call_limit.hpp"
#include "actors/runners/docker/reply_reader.hpp"
#include "messages/error.hpp"

#include <functional>
#include <string>
#include <string_view>

namespace troupe {

/// One request to the container engine.
struct engine_request {
  std::string method; ///< "GET", "POST", "PUT", "DELETE".
  std::string target; ///< Path and query, without the version.
  std::string body;
  std::string content_type = "application/json"; ///< Of a body that is not empty.
};

/// Returns the bytes of a request, HTTP/1.1 with Content-Length.
std::string request_bytes(const engine_request& what);

/// Percent-encodes everything but unreserved characters. Source: RFC 3986, 2.3.
std::string encode_query(std::string_view text);

/// One connection to the engine's Unix socket.
///
/// Threads: one at a time; every call blocks within its limit.
class engine_connection {
public:
  engine_connection() = default;
  ~engine_connection();
  engine_connection(engine_connection&& from) noexcept;
  engine_connection& operator=(engine_connection&& from) noexcept;

  /// Errors: `ec::unavailable` (nobody listens), `ec::timeout`, `ec::canceled`.
  static caf::expected<engine_connection> open(const std::string& socket, const call_limit& limit);

  /// Sends a request and reads up to the end of the answer's head: the status
  /// always comes first, whatever becomes of the body. Errors: as `open`.
  caf::error ask(const engine_request& what, const call_limit& limit);

  /// What `next` brought.
  enum class outcome : uint8_t { bytes, end, timeout, stopped, broken };

  /// Waits for the next piece of the body. `bytes` means that `piece()` has some.
  outcome next(const call_limit& limit);
  std::string_view piece() const {
    return piece_;
  }

  const reply_reader& head() const {
    return reader_;
  }

  /// True if the connection may carry one more request.
  bool reusable() const;

private:
  caf::error send(std::string_view bytes, const call_limit& limit);
  outcome receive(const call_limit& limit);
  void close();

  int fd_ = -1;
  reply_reader reader_;
  std::string piece_;
  bool fresh_ = false; ///< `piece_` came with the head and was not yet seen.
};

/// Returns the error of an outcome that is not `bytes` or `end`.
caf::error to_error(engine_connection::outcome how);

} // namespace troupe
