#include "bridges/amqp/publish_message.hpp"

#include "bridges/amqp/table.hpp"

namespace troupe {

caf::error publish_message(session& at, uint16_t channel, const publication& what) {
  auto headers = table_builder{};
  if (!what.kept_headers.empty())
    headers.add_encoded(what.kept_headers, "x-troupe-");
  for (const auto& [name, value] : what.headers)
    headers.add_text(name, value);
  auto out = amqp_basic_properties_t{};
  auto put = [&](amqp_flags_t flag, amqp_bytes_t& to, const std::string& text) {
    // A short text of AMQP ends there; the library would break the frame.
    if (text.empty() || text.size() > 255)
      return;
    out._flags |= flag;
    to = bytes_of(text);
  };
  put(AMQP_BASIC_CONTENT_TYPE_FLAG, out.content_type, what.content_type);
  put(AMQP_BASIC_CONTENT_ENCODING_FLAG, out.content_encoding, what.content_encoding);
  put(AMQP_BASIC_CORRELATION_ID_FLAG, out.correlation_id, what.correlation_id);
  put(AMQP_BASIC_REPLY_TO_FLAG, out.reply_to, what.reply_to);
  put(AMQP_BASIC_MESSAGE_ID_FLAG, out.message_id, what.message_id);
  put(AMQP_BASIC_TYPE_FLAG, out.type, what.type);
  put(AMQP_BASIC_APP_ID_FLAG, out.app_id, what.app_id);
  out._flags |= AMQP_BASIC_DELIVERY_MODE_FLAG;
  out.delivery_mode = 2;
  if (auto time = what.time.time_since_epoch(); time.count() > 0) {
    out._flags |= AMQP_BASIC_TIMESTAMP_FLAG;
    out.timestamp =
      static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::seconds>(time).count());
  }
  if (auto table = headers.get(); table.num_entries > 0) {
    out._flags |= AMQP_BASIC_HEADERS_FLAG;
    out.headers = table;
  }
  return at.judge(amqp_basic_publish(at.get(), channel, bytes_of(what.exchange),
                                     bytes_of(what.routing_key), 1, 0, &out, bytes_of(what.body)));
}

} // namespace troupe
