#pragma once

#include "actors/owned_fd.hpp"
#include "messages/error.hpp"

#include <sys/socket.h>

#include <string>
#include <vector>

namespace troupe {

/// An IPv4 or IPv6 address with a port.
struct socket_address {
  sockaddr_storage bytes{};
  socklen_t size = 0;

  /// Returns "192.0.2.1" or "2001:db8::1".
  std::string host() const;
  /// Returns what counts as one caller: the address, of IPv6 the first 64 bits.
  std::string network() const;
  uint16_t port() const;
};

/// Whether to ask the network for the addresses of a name.
enum class resolve : uint8_t {
  numbers, ///< Only read addresses; never blocks.
  names,   ///< May block for long.
};

/// Returns the addresses of a host. Errors: `ec::unavailable`.
caf::expected<std::vector<socket_address>> addresses_of(const std::string& host, uint16_t port,
                                                        resolve how);

/// Returns a non-blocking listener. Errors: `ec::invalid_argument` (no such
/// address), `ec::unavailable` (in use, not permitted).
caf::expected<owned_fd> listen_on(const socket_address& at);

/// Returns a non-blocking socket that is connecting. Errors: `ec::unavailable`.
caf::expected<owned_fd> start_connect(const socket_address& to);

/// Returns why a started connect failed; 0 if it did not.
int connect_fault(int fd);

/// Sets what every connection has: no delay, and an end within half a minute if
/// the peer's host is gone.
void tune_connection(int fd);

} // namespace troupe
