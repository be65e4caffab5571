#pragma once

#include "bridges/http/routes/bridge_options.hpp"
#include "bridges/http/routes/router.hpp"
#include "bridges/http/server.hpp"

#include <memory>

namespace troupe {

/// The HTTP bridge: the guarded server with the routes behind it.
///
/// Threads: any; `start` and `stop` once each.
class http_bridge {
public:
  http_bridge(caf::actor_system& sys, role_lookup roles, token_check check,
              http_bridge_options options);
  ~http_bridge();
  http_bridge(const http_bridge&) = delete;
  http_bridge& operator=(const http_bridge&) = delete;

  /// Binds and answers. Errors: `ec::unavailable` with the address.
  caf::error start();

  /// Ends the live streams, answers what is complete, then closes; at most `limit`.
  void stop(std::chrono::milliseconds limit);

  uint16_t port() const {
    return server_->port();
  }
  http_counts counts() const {
    return server_->counts();
  }

private:
  router router_;
  std::unique_ptr<http_server> server_; // Ends before the router that it calls.
};

} // namespace troupe
