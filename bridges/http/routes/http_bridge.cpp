#include "bridges/http/routes/http_bridge.hpp"

#include <algorithm>

namespace troupe {

namespace {

/// At least half of the workers are free of those who wait.
route_options routes_of(http_bridge_options& options) {
  options.routes.max_watches = std::max<size_t>(options.server.workers / 2, 1);
  return std::move(options.routes);
}

} // namespace

http_bridge::http_bridge(caf::actor_system& sys, role_lookup roles, token_check check,
                         http_bridge_options options)
  : router_{sys, std::move(roles), routes_of(options), std::move(check)},
    server_{std::make_unique<http_server>(
      std::move(options.server), [this](const http_request& head) { return router_.gate(head); },
      [this](const http_request& in) { return router_.handle(in); })} {}

http_bridge::~http_bridge() {
  router_.context().pumps.stop();
}

caf::error http_bridge::start() {
  return server_->start();
}

void http_bridge::stop(std::chrono::milliseconds limit) {
  router_.context().pumps.stop();
  server_->stop(limit);
}

} // namespace troupe
