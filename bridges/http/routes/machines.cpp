#include "bridges/http/routes/machine_answer.hpp"
#include "bridges/http/routes/machine_query.hpp"
#include "bridges/http/routes/machine_text.hpp"
#include "bridges/http/routes/naive_time.hpp"

/// What is known of machines: the paths of the original, and what it has none for.
/// Source: spec/machines.md 2.1, 2.8.
namespace troupe {

namespace {

/// The original's whole list, written while it is read in pieces.
http_response list_sightings_of(call& c) {
  auto writer = sighting_writer{c.text("fields") == "status" ? sighting_fields::status
                                                             : sighting_fields::lastseen};
  auto query = list_sightings{};
  do {
    auto part = c.ask<sighting_list>(c.shared.roles.machines, query);
    if (!part)
      return c.fail(part.error());
    writer.add(part->machines);
    query.after = std::move(part->next);
  } while (!query.after.empty());
  auto out = http_response{};
  out.body = writer.finish();
  return out;
}

json narrowed(const machine_view& x, const std::string& fields) {
  if (fields.empty() || fields == "all")
    return json_of(x);
  auto out = json{{"datacenter", x.datacenter}, {"machine", x.machine}, {"lastseen", nullptr}};
  if (auto seen = to_naive(x.lastseen); !seen.empty())
    out["lastseen"] = seen;
  if (fields == "status") {
    auto known = [](const std::string& text) { return text.empty() ? json{} : json(text); };
    out["machines-last-status"] = known(x.laststatus);
    out["machines-last-taskid"] = known(x.lasttaskid);
  }
  return out;
}

http_response list_records(call& c) {
  auto faults = std::vector<json_fault>{};
  auto query = read_machine_query(c, faults);
  if (!faults.empty())
    return c.fail(faults);
  auto page = c.ask<machine_page>(c.shared.roles.machines, std::move(query));
  if (!page)
    return c.fail(page.error());
  auto out = json{{"machines", json::array()}};
  for (const auto& x : page->machines)
    out["machines"].push_back(narrowed(x, c.text("fields")));
  if (!page->next.empty())
    out["continuationToken"] = page->next;
  return json_response(200, out);
}

http_response list_any(call& c) {
  return wants_machine_page(c) ? list_records(c) : list_sightings_of(c);
}

http_response show_machine(call& c) {
  auto found = c.ask<machine_view>(c.shared.roles.machines, get_machine{machine_of(c)});
  if (!found)
    return machine_failure(c, found.error());
  if (c.text("fields") == "lastseen") {
    // One that is only expected was not seen, and the original does not know it.
    if (found->lastseen == caf::timestamp{})
      return machine_failure(c, fault(ec::not_found, "the machine was never seen"));
    return json_response(200, to_naive(found->lastseen));
  }
  return json_response(200, json_of(*found));
}

http_response list_runs(call& c) {
  auto query = list_machine_tasks{};
  query.id = machine_of(c);
  query.after = c.text("continuationToken");
  query.limit = static_cast<uint32_t>(c.whole("limit").value_or(50));
  auto page = c.ask<machine_task_page>(c.shared.roles.machines, std::move(query));
  if (!page)
    return machine_failure(c, page.error());
  auto out = json{{"tasks", write_json(page->tasks)}};
  if (!page->next.empty())
    out["continuationToken"] = page->next;
  return json_response(200, out);
}

http_response summarize_all(call& c) {
  auto query = summarize_machines{};
  query.stale_for = std::chrono::seconds{c.whole("stale_for").value_or(0)};
  return answer(c, c.ask<machine_summary>(c.shared.roles.machines, query));
}

} // namespace

std::vector<route> machine_routes() {
  auto out = std::vector<route>{
    {.method = "GET",
     .path = "/machines",
     .least = token_level::read,
     .open = machines_are_open,
     .tag = "machines",
     .summary = "Lists machines: all as the original does, or by filters a page of records",
     .query = machine_list_parameters(),
     .answers = {{200,
                  "A list of machine, datacenter and lastseen; with a parameter other than "
                  "fields a page: machines and continuationToken.",
                  {}}},
     .run = list_any},
    {.method = "GET",
     .path = "/machines/summary",
     .least = token_level::read,
     .tag = "machines",
     .summary = "Counts machines by datacenter, worker type and state",
     .query = {{.name = "stale_for",
                .doc = "Seconds without a sign of life that are stale; the node's by default.",
                .type = parameter_type::whole,
                .min = 1,
                .max = 3'000'000'000}},
     .answers = {{200, "The counts.", schema_of<machine_summary>()}},
     .run = summarize_all},
    {.method = "GET",
     .path = "/machines/{machine_id}",
     .least = token_level::read,
     .open = machines_are_open,
     .tag = "machines",
     .summary = "Returns what is known of one machine, \"datacenter:host\"",
     .query = {{.name = "fields",
                .doc = "lastseen: only that, a string, as the original has it.",
                .type = parameter_type::word,
                .one_of = "lastseen|all"}},
     .answers = {{200, "The machine.", schema_of<machine_view>()}},
     .run = show_machine},
    {.method = "GET",
     .path = "/machines/{machine_id}/tasks",
     .least = token_level::read,
     .tag = "machines",
     .summary = "Lists runs of tasks on a machine, the latest first",
     .query = {{.name = "limit",
                .doc = "Runs of a page; 50 by default.",
                .type = parameter_type::whole,
                .min = 1,
                .max = 1000},
               {.name = "continuationToken", .doc = "That of the page before."}},
     .answers = {{200, "A page of tasks.", {}}},
     .run = list_runs},
  };
  for (auto& row : machine_change_routes())
    out.push_back(std::move(row));
  return out;
}

} // namespace troupe
