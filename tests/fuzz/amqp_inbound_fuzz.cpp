/// Any bytes as body, routing key and headers of a message, for every handler; as the address of
/// a broker; as a letter.
#include "bridges/amqp/dead_letter_box.hpp"
#include "bridges/amqp/endpoint.hpp"
#include "bridges/amqp/inbound_desk.hpp"
#include "bridges/amqp/table.hpp"

#include <cstdint>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  auto text = std::string{reinterpret_cast<const char*>(bytes), size};
  auto line = text.find('\n');
  auto x = troupe::inbound_message{};
  x.queue = "q";
  x.topic = "external.q";
  x.routing_key = text.substr(0, std::min<size_t>(line, 255));
  x.body = line == std::string::npos ? text : text.substr(line + 1);
  x.headers = x.body;
  x.message_id = size % 2 == 0 ? x.routing_key : "";
  troupe::identify(x);
  if (x.id.empty() || x.id.size() > 256)
    std::abort();
  for (const auto& handler : troupe::inbound_handlers())
    if (auto effect = handler.read(x))
      for (const auto& made : effect->events)
        if (made.topic.empty() || made.topic.size() > 128)
          std::abort();
  troupe::key_matches(x.routing_key, x.body.substr(0, 255));
  static_cast<void>(troupe::message_of_letter(x));
  static_cast<void>(troupe::read_letter(x));
  static_cast<void>(troupe::parse_amqp_url(text));
  return 0;
}
