#include "bridges/amqp/content_reader.hpp"

#include "bridges/amqp/table.hpp"

#include <algorithm>

namespace troupe {

namespace {

/// What is said to come is not believed before it is there.
constexpr auto most_reserved = uint64_t{1} << 20;
constexpr auto last_second = uint64_t{9'000'000'000};

} // namespace

void copy_properties(const amqp_basic_properties_t& from, inbound_message& to) {
  auto copy = [&](amqp_flags_t flag, const amqp_bytes_t& bytes, std::string& out) {
    if ((from._flags & flag) != 0)
      out = text_of(bytes);
  };
  copy(AMQP_BASIC_MESSAGE_ID_FLAG, from.message_id, to.message_id);
  copy(AMQP_BASIC_TYPE_FLAG, from.type, to.type);
  copy(AMQP_BASIC_APP_ID_FLAG, from.app_id, to.app_id);
  copy(AMQP_BASIC_CONTENT_TYPE_FLAG, from.content_type, to.content_type);
  copy(AMQP_BASIC_CONTENT_ENCODING_FLAG, from.content_encoding, to.content_encoding);
  copy(AMQP_BASIC_CORRELATION_ID_FLAG, from.correlation_id, to.correlation_id);
  copy(AMQP_BASIC_REPLY_TO_FLAG, from.reply_to, to.reply_to);
  if ((from._flags & AMQP_BASIC_TIMESTAMP_FLAG) != 0 && from.timestamp < last_second)
    to.sent = caf::timestamp{std::chrono::seconds{from.timestamp}};
  if ((from._flags & AMQP_BASIC_HEADERS_FLAG) != 0 && from.headers.num_entries > 0)
    to.headers = encode_table(from.headers);
}

void content_reader::begin(const amqp_basic_deliver_t& method) {
  message_ = {};
  message_.exchange = text_of(method.exchange);
  message_.routing_key = text_of(method.routing_key);
  message_.redelivered = method.redelivered != 0;
  tag_ = method.delivery_tag;
  open_ = true;
  has_header_ = false;
}

void content_reader::begin(const amqp_basic_return_t& method) {
  message_ = {};
  message_.exchange = text_of(method.exchange);
  message_.routing_key = text_of(method.routing_key);
  open_ = true;
  has_header_ = false;
}

void content_reader::begin(const amqp_basic_get_ok_t& method) {
  message_ = {};
  message_.exchange = text_of(method.exchange);
  message_.routing_key = text_of(method.routing_key);
  message_.redelivered = method.redelivered != 0;
  tag_ = method.delivery_tag;
  open_ = true;
  has_header_ = false;
}

std::optional<inbound_message> content_reader::take(const amqp_frame_t& in) {
  if (!open_)
    return std::nullopt;
  if (in.frame_type == AMQP_FRAME_HEADER) {
    // The library makes a struct of another class of its header then, a shorter one.
    if (in.payload.properties.class_id != AMQP_BASIC_CLASS) {
      open_ = false;
      return std::nullopt;
    }
    copy_properties(*static_cast<const amqp_basic_properties_t*>(in.payload.properties.decoded),
                    message_);
    size_ = in.payload.properties.body_size;
    message_.body.reserve(std::min(size_, most_reserved));
    has_header_ = true;
  } else if (in.frame_type == AMQP_FRAME_BODY && has_header_) {
    const auto& part = in.payload.body_fragment;
    message_.body.append(static_cast<const char*>(part.bytes), part.len);
  }
  return finish_if_whole();
}

std::optional<inbound_message> content_reader::finish_if_whole() {
  if (!has_header_ || message_.body.size() < size_)
    return std::nullopt;
  open_ = false;
  return std::move(message_);
}

} // namespace troupe
