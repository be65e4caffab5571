#include "bridges/amqp/outbound_rule.hpp"
#include "messages/amqp.hpp"
#include "messages/job_events.hpp"
#include "messages/json.hpp"
#include "messages/machine_events.hpp"
#include "messages/object.hpp"

namespace troupe {

namespace {

template <record... Ts>
struct record_types {};

/// Every record that is the payload of an event.
using known_records =
  record_types<job_queued, run_started, run_progressed, run_finished, cancel_requested, job_closed,
               job_requeued, ledger_opened, cursor, object_created, object_ids_reserved,
               object_tasks_purged, machine_seen, machine_quarantined, machine_inventory,
               machine_forgotten, machine_alert>;

template <record T>
bool write_if(std::string_view payload, caf::expected<json>& out) {
  if (packed_kind(payload) != T::type_name)
    return false;
  auto x = unpack<T>(payload);
  if (x)
    out = write_json(*x);
  else
    out = std::move(x.error());
  return true;
}

template <record... Ts>
caf::expected<json> write_any(std::string_view payload, record_types<Ts...>) {
  auto out = caf::expected<json>{
    fault(ec::unsupported, "no JSON form of " + std::string{packed_kind(payload)})};
  static_cast<void>((write_if<Ts>(payload, out) || ...));
  return out;
}

/// A job's spec is packed and may hold secrets.
void leave_out_spec(json& record) {
  if (auto job = record.find("job"); job != record.end() && job->is_object())
    job->erase("spec");
  record.erase("spec");
}

} // namespace

/// Any event, as JSON of its record, under its topic.
caf::expected<std::vector<publication>> make_record_message(const stored_event& what,
                                                            const outbound_place& place) {
  auto out = publication{};
  out.exchange = place.exchange.empty() ? "troupe" : place.exchange;
  out.routing_key = place.routing_key.empty() ? what.what.topic : place.routing_key;
  out.type = what.what.topic;
  if (packed_kind(what.what.payload) == external_event::type_name) {
    auto x = unpack<external_event>(what.what.payload);
    if (!x)
      return std::move(x.error());
    out.body = std::move(x->body);
  } else {
    auto x = write_any(what.what.payload, known_records{});
    if (!x)
      return std::move(x.error());
    leave_out_spec(*x);
    out.body = json_text(json{{"event_id", outbound_id(place, what)},
                              {"topic", what.what.topic},
                              {"sequence", what.sequence},
                              {"time", to_iso8601(what.what.time)},
                              {"record", std::move(*x)}});
  }
  return std::vector<publication>{std::move(out)};
}

} // namespace troupe
