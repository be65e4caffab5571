#include "bridges/amqp/inbound_handler.hpp"
#include "messages/json.hpp"
#include "messages/object.hpp"

/// What the services of EBS publish. Their fields may be missing, null or of any type; unknown
/// ones are ignored. Source: spec/pipeline.md 3.2, 3.5.
namespace troupe {

namespace {

constexpr auto ticks_per_second = int64_t{10};
constexpr auto most_seconds = 1e8;
constexpr auto longest_error = size_t{1024};
constexpr auto longest_data = size_t{64} << 10;

/// Returns the member if it is there and not null.
const json* member(const json& in, const char* name) {
  if (!in.is_object())
    return nullptr;
  auto i = in.find(name);
  return i == in.end() || i->is_null() ? nullptr : &*i;
}

std::string text_of(const json& in, const char* name) {
  const auto* x = member(in, name);
  if (x == nullptr)
    return {};
  return x->is_string() ? x->get<std::string>() : json_text(*x);
}

std::optional<uint64_t> number_of(const json& in, const char* name) {
  const auto* x = member(in, name);
  if (x == nullptr || !x->is_number_integer())
    return std::nullopt;
  if (x->is_number_unsigned())
    return x->get<uint64_t>();
  return std::nullopt; // negative
}

std::optional<double> seconds_of(const json& in, const char* name) {
  const auto* x = member(in, name);
  if (x == nullptr || !x->is_number())
    return std::nullopt;
  auto value = x->get<double>();
  return value >= 0 && value <= most_seconds ? std::optional{value} : std::nullopt;
}

caf::expected<json> document_of(const inbound_message& message) {
  auto body = parse_json_text(message.body);
  if (body && !body->is_object())
    return fault(ec::invalid_argument, "the body is no object");
  return body;
}

/// Returns the time that a processor says it took: seconds, or tenths of them.
caf::timespan spend_of(const json& body) {
  auto seconds = seconds_of(body, "spend_seconds");
  if (!seconds)
    if (auto ticks = seconds_of(body, "spend"))
      seconds = *ticks / ticks_per_second;
  return std::chrono::duration_cast<caf::timespan>(
    std::chrono::duration<double>(seconds.value_or(0)));
}

} // namespace

/// OBJECT_CREATED of a generator: an object of ours, and its tasks.
caf::expected<inbound_effect> read_ebs_object(const inbound_message& message) {
  auto body = document_of(message);
  if (!body)
    return std::move(body.error());
  auto what = create_object{};
  what.given_id = number_of(*body, "id");
  what.name = text_of(*body, "name");
  what.content = text_of(*body, "content");
  what.source = "amqp";
  what.request_id = message.id;
  what.request_digest = message.digest;
  return ask_role<object_view>(
    &amqp_roles::objects, std::move(what),
    [](const object_view&) -> caf::expected<inbound_outcome> { return inbound_outcome::stored; });
}

/// TASK_CREATED of a distributor: one job.
caf::expected<inbound_effect> read_ebs_task(const inbound_message& message) {
  auto body = document_of(message);
  if (!body)
    return std::move(body.error());
  const auto* inner = member(*body, "object");
  if (inner == nullptr || !inner->is_object())
    return fault_at(ec::invalid_argument, "object", "is required");
  auto id = number_of(*inner, "id");
  if (!id)
    return fault_at(ec::invalid_argument, "object.id", "must be a whole number");
  auto what = take_task{};
  what.what = {*id, text_of(*inner, "name"), text_of(*inner, "content")};
  what.task = text_of(*body, "id");
  if (what.task.empty())
    return fault_at(ec::invalid_argument, "id", "is required");
  what.source = "amqp";
  what.request_id = message.id;
  what.request_digest = message.digest;
  return ask_role<job_accepted>(&amqp_roles::objects, std::move(what),
                                [](const job_accepted& got) -> caf::expected<inbound_outcome> {
                                  return got.repeated ? inbound_outcome::repeated
                                                      : inbound_outcome::stored;
                                });
}

namespace {

/// DEAD_PROCESSING says that somebody else has given a task up. To the ledger, which alone counts
/// attempts, that attempt has failed; a FAIL_PROCESSING of it may have come before, then this one
/// is late.
std::optional<task_report_type> report_type_of(const std::string& text) {
  return text == "DEAD_PROCESSING" ? task_report_type::fail : enum_of<task_report_type>(text);
}

/// What is known or over changes nothing: as good as stored.
inbound_outcome meaning_of(report_outcome x) {
  switch (x) {
    case report_outcome::taken: return inbound_outcome::stored;
    case report_outcome::unknown: return inbound_outcome::early;
    default: return inbound_outcome::repeated;
  }
}

} // namespace

/// START_, END_, FAIL_ and DEAD_PROCESSING of a processor.
caf::expected<inbound_effect> read_ebs_report(const inbound_message& message) {
  auto body = document_of(message);
  if (!body)
    return std::move(body.error());
  auto type = report_type_of(text_of(*body, "type"));
  if (!type)
    return fault_at(ec::invalid_argument, "type",
                    "is not one of START_PROCESSING, "
                    "END_PROCESSING, FAIL_PROCESSING, DEAD_PROCESSING");
  auto what = task_report{};
  what.type = *type;
  what.task = text_of(*body, "target");
  what.processor = text_of(*body, "processor");
  if (what.task.empty())
    return fault_at(ec::invalid_argument, "target", "is required");
  auto attempt = number_of(*body, "attempt").value_or(0);
  what.attempt = attempt <= UINT32_MAX ? static_cast<uint32_t>(attempt) : 0;
  what.spend = spend_of(*body);
  what.error = text_of(*body, "error").substr(0, longest_error);
  if (const auto* data = member(*body, "data"))
    what.data = json_text(*data);
  if (what.data.size() > longest_data)
    return fault_at(ec::too_large, "data", "must be at most 64 KiB");
  what.source = "amqp";
  return ask_role<report_answer>(&amqp_roles::objects, std::move(what),
                                 [](const report_answer& got) -> caf::expected<inbound_outcome> {
                                   return meaning_of(got.outcome);
                                 });
}

} // namespace troupe
