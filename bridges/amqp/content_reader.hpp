#pragma once

#include "bridges/amqp/inbound_message.hpp"

#include <amqp.h>
#include <amqp_framing.h>

#include <optional>

namespace troupe {

/// Puts messages together that come in frames: a method, a header, any number of bodies.
///
/// Threads: one.
class content_reader {
public:
  /// A delivery begins.
  void begin(const amqp_basic_deliver_t& method);
  /// A message comes back that no queue wanted.
  void begin(const amqp_basic_return_t& method);
  /// An answer to a `basic.get` begins.
  void begin(const amqp_basic_get_ok_t& method);
  /// Takes a header or body frame; returns the message when it is whole. `queue`, `topic`, `id`
  /// and `digest` are not filled.
  std::optional<inbound_message> take(const amqp_frame_t& in);

  uint64_t tag() const {
    return tag_;
  }

private:
  std::optional<inbound_message> finish_if_whole();

  bool open_ = false;
  bool has_header_ = false;
  uint64_t tag_ = 0;
  uint64_t size_ = 0;
  inbound_message message_;
};

/// Copies the properties that handlers see.
void copy_properties(const amqp_basic_properties_t& from, inbound_message& to);

} // namespace troupe
