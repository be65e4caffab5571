#pragma once

#include <caf/expected.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace troupe {

/// Where a broker is and who we are there.
struct amqp_endpoint {
  std::string host = "127.0.0.1";
  uint16_t port = 5672;
  std::string vhost = "/";
  std::string user = "guest";
  std::string password = "guest";
  bool tls = false;
};

/// Reads "amqp://user:password@host:port/vhost", "amqps://...", or what the first pipeline
/// called QUEUE_URL: "host" or "host:port". What is left out keeps the value of `defaults`;
/// the port is that of the scheme. Errors: `ec::invalid_argument`; the text is not repeated,
/// it may hold a password. Source: the RabbitMQ URI specification, spec/pipeline.md 3.5.
caf::expected<amqp_endpoint> parse_amqp_url(std::string_view text,
                                            const amqp_endpoint& defaults = {});

/// Returns "host:port/vhost": nothing that is secret.
std::string to_string(const amqp_endpoint& x);

} // namespace troupe
