#include "bridges/http/server.hpp"

#include "bridges/http/loop.hpp"

namespace troupe {

std::string_view http_request::header(const std::string& name) const {
  auto i = headers.find(name);
  return i == headers.end() ? std::string_view{} : std::string_view{i->second};
}

http_server::http_server(http_options options, http_body_gate gate, http_handler handler)
  : loop_{std::make_unique<loop>(std::move(options), std::move(gate), std::move(handler))} {}

http_server::~http_server() = default;

caf::error http_server::start() {
  return loop_->start();
}

void http_server::stop(std::chrono::milliseconds limit) {
  loop_->stop(limit);
}

uint16_t http_server::port() const {
  return loop_->port();
}

http_counts http_server::counts() const {
  return loop_->counts();
}

} // namespace troupe
