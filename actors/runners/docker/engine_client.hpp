#pragma once

#include "actors/runners/docker/engine_connection.hpp"
#include "actors/runners/docker/engine_reply.hpp"

#include <optional>

namespace troupe {

/// Speaks the Docker Engine API (v1.41) over a Unix socket, to Docker and Podman alike.
///
/// Short calls share one kept-alive connection; a stream has its own. Every call
/// has a deadline and ends within a moment of a stop request.
/// Threads: one at a time. Source: spec/testing.md 5.
class engine_client {
public:
  explicit engine_client(std::string socket) : socket_{std::move(socket)} {}

  /// Asks and reads the whole answer, whatever its status. Errors: `ec::unavailable`,
  /// `ec::timeout`, `ec::canceled`, `ec::too_large` (body over 16 MiB).
  caf::expected<engine_reply> call(const engine_request& what, const call_limit& limit);

  /// Asks on a connection of its own and returns it once the head is there: the
  /// caller looks at the status, then reads the body. Errors: as `call`.
  caf::expected<engine_connection> stream(const engine_request& what,
                                          const call_limit& limit) const;

  const std::string& socket() const {
    return socket_;
  }

private:
  std::string socket_;
  std::optional<engine_connection> spare_;
};

/// Reads what is left of an answer, at most 16 MiB. Errors: as `engine_client::call`.
caf::expected<engine_reply> read_rest(engine_connection& from, const call_limit& limit);

/// Returns the socket to use: `wanted` if not empty, else that of DOCKER_HOST
/// ("unix:///..."), else the first of Docker's and Podman's usual ones that exists, else "".
std::string find_engine_socket(const std::string& wanted);

} // namespace troupe
