#include "bridges/amqp/inbound_handler.hpp"

#include <algorithm>

namespace troupe {

namespace {

constexpr inbound_handler inbound_rows[] = {
  {"event", read_event_message},
  {"ebs_object", read_ebs_object},
  {"ebs_task", read_ebs_task},
  {"ebs_report", read_ebs_report},
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
