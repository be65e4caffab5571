#include "bridges/amqp/inbound_handler.hpp"

#include <algorithm>

namespace troupe {

namespace {

constexpr inbound_handler inbound_rows[] = {
  {"event", read_event_message},
};

} // namespace

std::span<const inbound_handler> inbound_handlers() {
  return inbound_rows;
}

const inbound_handler* find_inbound_handler(std::string_view name) {
  auto i = std::find_if(std::begin(inbound_rows), std::end(inbound_rows),
                        [&](const inbound_handler& x) { return x.name == name; });
  return i == std::end(inbound_rows) ? nullptr : i;
}

} // namespace troupe
