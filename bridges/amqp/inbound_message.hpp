#pragma once

#include <caf/timestamp.hpp>

#include <cstdint>
#include <string>

namespace troupe {

/// One delivery as a handler sees it. All of it comes from strangers but for `queue`,
/// `topic`, `id` and `digest`.
struct inbound_message {
  std::string queue;
  std::string topic; ///< Of the queue's entry in the configuration.
  std::string exchange;
  std::string routing_key;
  std::string message_id;
  std::string type;
  std::string app_id;
  std::string content_type;
  std::string content_encoding;
  std::string correlation_id;
  std::string reply_to;
  std::string headers; ///< An encoded AMQP table, see `header_text`.
  caf::timestamp sent{};
  std::string body;
  bool redelivered = false;

  /// Under which the journal or a role knows what becomes of it, so that the same
  /// message has one effect however often it comes; at most 256 bytes.
  std::string id;
  uint64_t digest = 0; ///< Of the body: the same id with another one is a conflict.
};

} // namespace troupe
