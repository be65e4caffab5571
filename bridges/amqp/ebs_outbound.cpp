#include "bridges/amqp/outbound_rule.hpp"
#include "messages/job_events.hpp"
#include "messages/json.hpp"
#include "messages/object.hpp"

#include <cmath>

/// The events of the pipeline as EBS has them, with more fields. Source: spec/pipeline.md 3.5.
namespace troupe {

namespace {

using messages = std::vector<publication>;

/// Returns a time with microseconds, as Python writes it.
std::string python_time(caf::timestamp at) {
  auto out = to_iso8601(at); // ends with milliseconds and a Z
  auto micros = std::chrono::duration_cast<std::chrono::microseconds>(at.time_since_epoch());
  auto rest = std::to_string(1000 + micros.count() % 1000);
  out.replace(out.size() - 1, 1, rest.substr(1) + 'Z');
  return out;
}

/// Makes the messages of one event.
class ebs_writer {
public:
  ebs_writer(const stored_event& what, const outbound_place& place) : what_{what}, place_{place} {}

  /// Adds a message; `key` unless the configuration says otherwise.
  void add(const char* event, const char* key, json body) {
    auto& out = made_.emplace_back();
    out.exchange = place_.exchange.empty() ? "ebs" : place_.exchange;
    out.routing_key = place_.routing_key.empty() ? key : place_.routing_key;
    out.type = event;
    out.message_id = outbound_id(place_, what_, made_.size() - 1);
    body["event"] = event;
    body["event_id"] = out.message_id;
    body["timestamp"] = python_time(what_.what.time);
    out.body = json_text(body);
  }

  messages take() {
    return std::move(made_);
  }

private:
  const stored_event& what_;
  const outbound_place& place_;
  messages made_;
};

void write_task(ebs_writer& to, const job_id& job, const std::string& subject,
                const process_spec& spec, uint32_t attempt) {
  to.add("TASK_CREATED", "task-requests",
         {{"id", task_id_of(job, subject)},
          {"object", write_json(spec.what)},
          {"object_id", spec.what.id},
          {"attempt", attempt},
          {"index", spec.index},
          {"count", spec.count}});
}

/// What every message about the processing of a task says.
json about(const char* type, const job_id& job, const std::string& subject,
           const std::string& processor, uint32_t attempt) {
  auto out = json{{"type", type},
                  {"target", task_id_of(job, subject)},
                  {"processor", processor},
                  {"attempt", attempt}};
  if (auto x = parse_task_subject(subject))
    out["object_id"] = x->object;
  return out;
}

/// An object of a generator on the broker was announced by that.
void tell(ebs_writer& to, const object_created& x, caf::timestamp) {
  if (x.source != "amqp")
    to.add("OBJECT_CREATED", "objects", write_json(x.what));
}

/// So was a task of a distributor there; not so its repetition by hand.
void tell(ebs_writer& to, const job_queued& x, caf::timestamp) {
  if (x.what.kind != process_kind)
    return;
  auto spec = unpack<process_spec>(x.what.spec);
  if (spec && (spec->task.empty() || x.what.retry_of))
    write_task(to, x.job, x.what.subject, *spec, 1);
}

void tell(ebs_writer& to, const job_requeued& x, caf::timestamp) {
  auto spec = unpack<process_spec>(x.spec);
  if (x.kind == process_kind && spec)
    write_task(to, x.job, x.subject, *spec, x.run_id + 1);
}

/// Outside processors say themselves what they do.
void tell(ebs_writer& to, const run_started& x, caf::timestamp) {
  if (x.kind == process_kind && x.queue != outside_queue)
    to.add("TASK_STARTED", "processing",
           about("START_PROCESSING", x.job, x.subject, x.runner, x.run_id + 1));
}

void tell(ebs_writer& to, const run_finished& x, caf::timestamp at) {
  if (x.kind != process_kind)
    return;
  auto attempt = x.run_id + 1;
  auto said_by_itself =
    x.queue == outside_queue && x.why != reason::claim_expired && x.why != reason::canceled;
  auto text = x.note.empty() ? std::string{name_of(x.why)} : x.note;
  if (x.result == verdict::pass && x.final) {
    if (said_by_itself)
      return;
    auto body = about("END_PROCESSING", x.job, x.subject, x.runner, attempt);
    auto spend = x.spend > caf::timespan{0} ? x.spend : at - x.started_at;
    auto seconds = std::chrono::duration<double>(spend).count();
    body["spend"] = std::llround(seconds * 10);
    body["spend_seconds"] = seconds;
    to.add("TASK_FINISHED", "processing", std::move(body));
    return;
  }
  if (!said_by_itself) {
    auto body = about("FAIL_PROCESSING", x.job, x.subject, x.runner, attempt);
    body["error"] = text;
    body["will_retry"] = !x.final;
    to.add("TASK_FAILED", "processing", std::move(body));
  }
  if (x.final && x.result != verdict::canceled) {
    auto body = about("DEAD_PROCESSING", x.job, x.subject, x.runner, attempt);
    body["error"] = text;
    to.add("TASK_DEAD", "processing", std::move(body));
  }
}

/// Nobody took it in time.
void tell(ebs_writer& to, const job_closed& x, caf::timestamp) {
  if (x.kind != process_kind || x.result == verdict::canceled)
    return;
  auto body = about("DEAD_PROCESSING", x.job, x.subject, "", 0);
  body["error"] = x.note;
  to.add("TASK_DEAD", "processing", std::move(body));
}

template <record T>
bool tell_if(ebs_writer& to, const stored_event& x, caf::error& why) {
  if (x.what.topic != T::topic)
    return false;
  if (auto read = unpack<T>(x.what.payload))
    tell(to, *read, x.what.time);
  else
    why = std::move(read.error());
  return true;
}

} // namespace

caf::expected<std::vector<publication>> make_ebs_messages(const stored_event& what,
                                                          const outbound_place& place) {
  auto to = ebs_writer{what, place};
  auto why = caf::error{};
  static_cast<void>(tell_if<object_created>(to, what, why) || tell_if<job_queued>(to, what, why)
                    || tell_if<job_requeued>(to, what, why) || tell_if<run_started>(to, what, why)
                    || tell_if<run_finished>(to, what, why) || tell_if<job_closed>(to, what, why));
  if (why)
    return why;
  return to.take();
}

} // namespace troupe
