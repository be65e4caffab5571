#include "bridges/http/routes/machine_answer.hpp"
#include "bridges/http/routes/machine_request.hpp"
#include "messages/time.hpp"

#include <algorithm>

namespace troupe {

namespace {

/// Of one request: some 36,000 machines with 3 keys each, with those of the branch 5.
constexpr auto list_limits = json_limits{8, 200'000};
constexpr auto list_bytes = size_t{4 << 20};

/// A clock that is ahead would make a machine look alive for as long as it is.
constexpr auto most_ahead = std::chrono::hours{24};

std::string place_of(size_t i, const char* name) {
  return '[' + std::to_string(i) + "]." + name;
}

/// Reads one item of the list. The status of the branch is its default for "unknown".
machine_sighting read_sighting(const json& in, size_t i, json_reader& reader) {
  auto x = machine_import{};
  auto known = reader.faults.size();
  reader.read(in, x, '[' + std::to_string(i) + ']');
  if (reader.faults.size() > known)
    return {};
  for (auto [name, word] : {std::pair{"datacenter", &x.datacenter}, {"machine", &x.machine}})
    if (!is_machine_word(*word))
      reader.complain(place_of(i, name), "must be letters, digits, '.', '_' and '-'");
  auto out = machine_sighting{};
  out.id = to_machine_id(x.datacenter, x.machine);
  auto time = parse_machine_time(x.lastseen);
  if (!time)
    reader.complain(place_of(i, "lastseen"), "must be a time such as 2018-11-08T08:47:50.939514");
  else if (*time > now() + most_ahead)
    reader.complain(place_of(i, "lastseen"), "lies in the future");
  out.lastseen = time.value_or(caf::timestamp{});
  out.laststatus = x.status.empty() ? std::move(x.last_status) : std::move(x.status);
  out.lasttaskid = x.task.empty() ? std::move(x.last_task) : std::move(x.task);
  return out;
}

http_response import_list(call& c) {
  auto body = c.document(list_limits);
  if (!body)
    return syntax_response(c.at.words, body.error());
  if (!body->is_array())
    return c.fail({{"", "must be a list"}});
  auto what = import_machines{};
  what.force = c.flag("force");
  what.by = c.who.subject;
  what.machines.reserve(body->size());
  auto reader = json_reader{};
  for (auto i = size_t{0}; i < body->size(); ++i)
    what.machines.push_back(read_sighting((*body)[i], i, reader));
  if (!reader.faults.empty())
    return c.fail(reader.faults);
  return answer(c, c.ask<machines_imported>(c.shared.roles.machines, std::move(what)));
}

/// Reads "datacenter:host", or an object with both, as the lists have it.
std::string read_id(const json& in, const std::string& place, json_reader& reader) {
  auto id = in.is_string() ? in.get<std::string>() : std::string{};
  if (in.is_object() && in.contains("datacenter") && in.contains("machine")
      && in["datacenter"].is_string() && in["machine"].is_string())
    id = to_machine_id(in["datacenter"].get_ref<const std::string&>(),
                       in["machine"].get_ref<const std::string&>());
  auto halves = split_machine_id(id);
  if (!halves || !is_machine_word(halves->first) || !is_machine_word(halves->second))
    reader.complain(place, "must be \"datacenter:host\", or an object with datacenter and machine");
  return id;
}

http_response expect_list(call& c) {
  auto body = c.document(list_limits);
  if (!body)
    return syntax_response(c.at.words, body.error());
  auto reader = json_reader{};
  auto what = expect_machines{};
  what.by = c.who.subject;
  if (!body->is_object())
    return c.fail({{"", "must be an object"}});
  for (const auto& [key, _] : body->items())
    if (key != "machines" && key != "replace")
      reader.complain(key, "is not a known field");
  if (body->contains("replace"))
    reader.read((*body)["replace"], what.replace, "replace");
  if (!body->contains("machines") || !(*body)["machines"].is_array())
    return c.fail({{"machines", "must be a list"}});
  const auto& list = (*body)["machines"];
  for (auto i = size_t{0}; i < list.size(); ++i)
    what.ids.push_back(read_id(list[i], "machines[" + std::to_string(i) + ']', reader));
  if (!reader.faults.empty())
    return c.fail(reader.faults);
  return answer(c, c.ask<machines_expected>(c.shared.roles.machines, std::move(what)));
}

http_response mark(call& c, quarantine_machine what) {
  what.id = machine_of(c);
  what.by = c.who.subject;
  auto done = c.ask<machine_view>(c.shared.roles.machines, std::move(what));
  return done ? json_response(200, json_of(*done)) : machine_failure(c, done.error());
}

http_response quarantine(call& c) {
  auto body = c.document();
  if (!body)
    return syntax_response(c.at.words, body.error());
  auto wanted = quarantine_request{};
  auto reader = json_reader{};
  reader.strict = true;
  reader.read(*body, wanted, "");
  auto until = parse_machine_time(wanted.until);
  if (reader.faults.empty() && !until)
    reader.complain("quarantineUntil", "must be an RFC 3339 time");
  if (!reader.faults.empty())
    return c.fail(reader.faults);
  auto what = quarantine_machine{};
  what.until = *until;
  what.why = std::move(wanted.why);
  return mark(c, std::move(what));
}

http_response lift(call& c) {
  return mark(c, {});
}

http_response forget(call& c) {
  auto what = forget_machine{machine_of(c), c.who.subject};
  auto done = c.ask<machine_forgotten>(c.shared.roles.machines, std::move(what));
  return done ? answer(c, done) : machine_failure(c, done.error());
}

void describe_import(json& schemas) {
  schemas["machine_list"] = {{"type", "array"},
                             {"items", schema_of_value<machine_import>(schemas, {})}};
}

void describe_expected(json& schemas) {
  schemas["expected_machines"] = {
    {"type", "object"},
    {"required", json::array({"machines"})},
    {"properties",
     {{"machines",
       {{"type", "array"},
        {"items", json::object()},
        {"description", "\"datacenter:host\", or objects with datacenter and machine."}}},
      {"replace", {{"type", "boolean"}, {"description", "No others are expected from now on."}}}}}};
}

} // namespace

bool is_machine_word(std::string_view text) {
  auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-'
           || c == '_' || c == '.';
  };
  return !text.empty() && text.size() <= machine_name_size
         && std::all_of(text.begin(), text.end(), fits);
}

std::vector<route> machine_change_routes() {
  return {
    {.method = "POST",
     .path = "/machines",
     .least = token_level::admin,
     .tag = "machines",
     .summary = "Imports a list as GET /machines answers it; the newer time wins",
     .query = {{.name = "force",
                .doc = "Overwrite, even by an older time.",
                .type = parameter_type::flag}},
     .request = {"machine_list", describe_import},
     .answers = {{200, "How many were taken.", schema_of<machines_imported>()}},
     .max_body = list_bytes,
     .run = import_list},
    {.method = "POST",
     .path = "/machines/expected",
     .least = token_level::admin,
     .tag = "machines",
     .summary = "Tells which machines should exist: state=missing lists those never seen",
     .request = {"expected_machines", describe_expected},
     .answers = {{200, "How many are expected.", schema_of<machines_expected>()}},
     .max_body = list_bytes,
     .run = expect_list},
    {.method = "PUT",
     .path = "/machines/{machine_id}/quarantine",
     .least = token_level::submit,
     .tag = "machines",
     .summary = "Marks a machine: shown in lists, no alarms; Taskcluster goes on giving it work",
     .request = schema_of<quarantine_request>(),
     .answers = {{200, "The machine.", schema_of<machine_view>()}},
     .max_body = 64 << 10,
     .run = quarantine},
    {.method = "DELETE",
     .path = "/machines/{machine_id}/quarantine",
     .least = token_level::submit,
     .tag = "machines",
     .summary = "Lifts the quarantine of a machine",
     .answers = {{200, "The machine.", schema_of<machine_view>()}},
     .run = lift},
    {.method = "DELETE",
     .path = "/machines/{machine_id}",
     .least = token_level::admin,
     .tag = "machines",
     .summary = "Forgets a machine; it is there again when it is seen again",
     .answers = {{200, "What is gone.", schema_of<machine_forgotten>()}},
     .run = forget},
  };
}

} // namespace troupe
