#include "bridges/http/routes/object_request.hpp"
#include "bridges/http/routes/submission.hpp"

#include <charconv>

/// The paths of EBS, and what it has no paths for. Source: spec/pipeline.md 3.1, 3.5.
namespace troupe {

namespace {

/// Reads a body that may be absent. Returns the refusal, if there is one.
template <record T>
std::optional<http_response> read_optional(const call& c, T& out) {
  if (c.in.body.empty())
    return std::nullopt;
  auto body = c.document();
  if (!body)
    return syntax_response(c.at.words, body.error());
  auto reader = json_reader{};
  reader.strict = true;
  reader.read(*body, out, "");
  if (!reader.faults.empty())
    return c.fail(reader.faults);
  return std::nullopt;
}

/// JSON that a processor made, as JSON.
json data_of(const object_task& task) {
  auto data = parse_json_text(task.data);
  return data ? *data : json{};
}

/// Tasks come with their `data` as JSON and, like legacy events, with `spend` in tenths of a
/// second.
json json_of(const object_task& task) {
  auto out = write_json(task);
  out["data"] = data_of(task);
  out["spend"] = task.spend / std::chrono::milliseconds{100};
  return out;
}

json json_of(const object_view& object) {
  auto out = write_json(object);
  auto& tasks = out["tasks"] = json::array();
  for (const auto& task : object.tasks)
    tasks.push_back(json_of(task));
  return out;
}

http_response create_one(call& c) {
  auto wanted = object_request{};
  if (auto refused = read_optional(c, wanted))
    return std::move(*refused);
  auto what = create_object{};
  what.name = std::move(wanted.name);
  what.content = std::move(wanted.content);
  what.source = "http";
  what.owner = c.who.subject;
  if (auto err = claim_request_id(c, what))
    return c.fail(err);
  auto made = c.ask<object_view>(c.shared.roles.objects, std::move(what));
  if (!made)
    return c.fail(made.error());
  auto out = json_response(201, json_of(*made));
  out.headers.emplace("Location", "/objects/" + std::to_string(made->id));
  return out;
}

/// EBS knows no tokens, and its callers have none.
bool may_anybody_create(const route_options& options, const http_request&) {
  return options.compat.ebs_open;
}

http_response list_all(call& c) {
  auto query = list_objects{};
  query.limit = static_cast<uint32_t>(c.whole("limit").value_or(50));
  if (auto cursor = c.whole("cursor"))
    query.below = static_cast<uint64_t>(*cursor);
  return answer(c, c.ask<object_page>(c.shared.roles.objects, query));
}

/// Pydantic's words for an id that is not a number.
http_response no_number(const call& c) {
  if (!c.shared.options.compat.ebs_validation)
    return error_response(dialect::native,
                          fault_at(ec::invalid_argument, "object_id", "must be a whole number"));
  return json_response(422, {{"detail",
                              {{{"loc", {"path", "object_id"}},
                                {"msg", "value is not a valid integer"},
                                {"type", "type_error.integer"}}}}});
}

/// Looks the object of the path up; `show` makes the answer.
template <class F>
http_response with_object(call& c, F show) {
  const auto& text = c.path("object_id");
  auto number = int64_t{0};
  auto [end, err] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (err == std::errc::invalid_argument || end != text.data() + text.size())
    return no_number(c);
  // Negative ones and those too large are numbers, too: just nobody's.
  if (err != std::errc{} || number < 0)
    return c.fail(fault_at(ec::not_found, "object_id", "there is no object " + text));
  auto query = get_object{static_cast<uint64_t>(number)};
  auto object = c.ask<object_view>(c.shared.roles.objects, query);
  return object ? show(*object) : c.fail(object.error());
}

http_response show_object(call& c) {
  return with_object(c, [](const object_view& x) { return json_response(200, json_of(x)); });
}

http_response show_results(call& c) {
  return with_object(c, [](const object_view& x) {
    auto found = object_results{x.id, x.state, x.tasks_total, x.tasks_done, {}};
    for (const auto& task : x.tasks)
      found.results.push_back(
        {task.id, task.state, task.attempt, task.processor, task.error, task.spend});
    auto out = write_json(found);
    for (auto i = size_t{0}; i < x.tasks.size(); ++i)
      out["results"][i]["data"] = data_of(x.tasks[i]);
    return json_response(200, out);
  });
}

http_response list_dead(call& c) {
  auto query = list_dead_tasks{};
  query.after = c.text("cursor");
  query.limit = static_cast<uint32_t>(c.whole("limit").value_or(50));
  auto page = c.ask<dead_task_page>(c.shared.roles.objects, std::move(query));
  if (!page) {
    auto parts = explain(page.error());
    return c.fail(parts.place == "after" ? fault_at(parts.code, "cursor", parts.text)
                                         : page.error());
  }
  auto out = json{{"tasks", json::array()}, {"next", page->next}};
  for (const auto& task : page->tasks)
    out["tasks"].push_back(json_of(task));
  return json_response(200, out);
}

template <record T>
http_response change_dead(call& c) {
  auto wanted = dead_tasks_request{};
  if (auto refused = read_optional(c, wanted))
    return std::move(*refused);
  if (wanted.tasks.empty() != wanted.all)
    return c.fail({{"tasks", "must name tasks, or all must be true"}});
  auto what = T{std::move(wanted.tasks), c.who.subject};
  return answer(c, c.ask<changed_tasks>(c.shared.roles.objects, std::move(what)));
}

const auto page_parameters = std::vector<query_parameter>{
  {"cursor", "The `next` of the page before."},
  {"limit", "Items at most.", parameter_type::whole, {}, 1, 1000},
};

const auto object_page_parameters = std::vector<query_parameter>{
  {"cursor", "The `next` of the page before.", parameter_type::whole, {}, 0},
  {"limit", "Objects at most.", parameter_type::whole, {}, 1, 1000},
};

} // namespace

std::vector<route> object_routes() {
  auto out = std::vector<route>{
    {.method = "GET",
     .path = "/objects/dead",
     .least = token_level::read,
     .tag = "objects",
     .summary = "Lists tasks that have no attempt left, the oldest first",
     .query = page_parameters,
     .answers = {{200, "One page.", schema_of<dead_task_page>()}},
     .run = list_dead},
    {.method = "POST",
     .path = "/objects/dead/retry",
     .least = token_level::submit,
     .tag = "objects",
     .summary = "Puts dead tasks into the queue again, each with a new id",
     .request = schema_of<dead_tasks_request>(),
     .answers = {{200, "Those that were dead.", schema_of<changed_tasks>()}},
     .max_body = 256 << 10,
     .run = change_dead<retry_dead_tasks>},
    {.method = "POST",
     .path = "/objects/dead/purge",
     .least = token_level::admin,
     .tag = "objects",
     .summary = "Takes dead tasks off the list",
     .request = schema_of<dead_tasks_request>(),
     .answers = {{200, "Those that were dead.", schema_of<changed_tasks>()}},
     .max_body = 256 << 10,
     .run = change_dead<purge_dead_tasks>},
  };
  for (auto path : {"/objects", "/objects/", "/api/objects", "/api/objects/"}) {
    out.push_back({.method = "POST",
                   .path = path,
                   .least = token_level::submit,
                   .open = may_anybody_create,
                   .tag = "EBS",
                   .summary = "Makes an object and its tasks; an Idempotency-Key makes repeating "
                              "it harmless",
                   .request = schema_of<object_request>(),
                   .answers = {{201, "Both are durable.", schema_of<object_view>()},
                               {409, "The Idempotency-Key came with another body.", {}}},
                   .max_body = 128 << 10,
                   .run = create_one});
    out.push_back({.method = "GET",
                   .path = path,
                   .least = token_level::read,
                   .tag = "EBS",
                   .summary = "Lists objects without their tasks, the largest id first",
                   .query = object_page_parameters,
                   .answers = {{200, "One page.", schema_of<object_page>()}},
                   .run = list_all});
  }
  for (auto path : {"/objects/{object_id}", "/api/objects/{object_id}"})
    out.push_back({.method = "GET",
                   .path = path,
                   .least = token_level::read,
                   .tag = "EBS",
                   .summary = "Returns one object with its tasks",
                   .answers = {{200, "The object.", schema_of<object_view>()}},
                   .run = show_object});
  out.push_back({.method = "GET",
                 .path = "/api/results/{object_id}",
                 .least = token_level::read,
                 .tag = "EBS",
                 .summary = "Returns what came of the tasks of an object",
                 .answers = {{200, "The results so far.", schema_of<object_results>()}},
                 .run = show_results});
  return out;
}

} // namespace troupe
