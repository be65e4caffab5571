#pragma once

#include "bridges/amqp/inbound_message.hpp"
#include "bridges/amqp/outbound_rule.hpp"
#include "bridges/amqp/session.hpp"
#include "bridges/amqp/topology.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace troupe::tests {

/// Anybody else at the broker: makes queues, publishes, looks what is there. Fails the test when
/// the broker refuses.
///
/// Threads: one.
class broker_client {
public:
  explicit broker_client(uint16_t port);

  void declare_queue(const std::string& name, bool durable = true,
                     const std::string& type = "classic");
  void declare_exchange(const std::string& name, bool durable = true);
  void bind(const std::string& queue, const std::string& exchange, const std::string& key);
  void delete_queue(const std::string& name);
  void delete_exchange(const std::string& name);

  /// Publishes and awaits the confirms of all; returns how many were confirmed and not returned.
  size_t publish(const std::vector<publication>& messages);
  /// Publishes one to a queue.
  void put(const std::string& queue, std::string body, std::string id = {},
           const std::string& content_type = "application/json");

  /// Messages that are ready; nothing if there is no such queue.
  std::optional<uint32_t> ready(const std::string& queue);
  /// Takes one message out of a queue.
  std::optional<inbound_message> take(const std::string& queue);
  std::vector<inbound_message> take_all(const std::string& queue);

private:
  std::unique_ptr<session> at_;
  uint64_t last_tag_ = 0;
};

} // namespace troupe::tests
