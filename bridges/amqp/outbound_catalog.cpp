#include "bridges/amqp/outbound_rule.hpp"

#include <algorithm>

namespace troupe {

namespace {

constexpr outbound_rule outbound_rows[] = {
  {"record", make_record_message},
  {"ebs", make_ebs_messages},
};

} // namespace

std::span<const outbound_rule> outbound_rules() {
  return outbound_rows;
}

const outbound_rule* find_outbound_rule(std::string_view name) {
  auto i = std::find_if(std::begin(outbound_rows), std::end(outbound_rows),
                        [&](const outbound_rule& x) { return x.name == name; });
  return i == std::end(outbound_rows) ? nullptr : i;
}

std::string outbound_id(const outbound_place& place, const stored_event& what, size_t n) {
  return place.journal + '-' + std::to_string(what.sequence) + '-' + std::to_string(place.made + n);
}

} // namespace troupe
