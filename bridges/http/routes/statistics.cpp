#include "bridges/http/routes/call.hpp"

#include <charconv>

namespace troupe {

namespace {

http_response count_all(call& c) {
  auto query = get_statistics{};
  query.packages = static_cast<uint32_t>(c.whole("packages").value_or(query.packages));
  return answer(c, c.ask<statistics_report>(c.shared.roles.statistics, query));
}

http_response object_progress_of(call& c) {
  const auto& text = c.path("object_id");
  auto id = uint64_t{0};
  auto [end, wrong] = std::from_chars(text.data(), text.data() + text.size(), id);
  if (wrong != std::errc{} || end != text.data() + text.size())
    return c.fail(fault_at(ec::not_found, "object_id", "there is no such object"));
  return answer(c, c.ask<object_progress>(c.shared.roles.statistics, get_object_progress{id}));
}

http_response list_progress(call& c) {
  auto query = list_object_progress{};
  query.cursor = c.text("cursor");
  query.limit = static_cast<uint32_t>(c.whole("limit").value_or(query.limit));
  return answer(c, c.ask<object_progress_page>(c.shared.roles.statistics, query));
}

} // namespace

std::vector<route> statistics_routes() {
  return {
    {.method = "GET",
     .path = "/statistics",
     .least = token_level::read,
     .tag = "statistics",
     .summary = "Counts objects, tasks and all other work: how many, how long, how fast",
     .query = {{.name = "packages",
                .doc = "Packages to answer, the most recently active ones; 100 by default.",
                .type = parameter_type::whole,
                .min = 0,
                .max = 4096}},
     .answers = {{200, "Everything that was durable when the question came.",
                  schema_of<statistics_report>()}},
     .run = count_all},
    {.method = "GET",
     .path = "/statistics/objects",
     .least = token_level::read,
     .tag = "statistics",
     .summary = "Lists how far objects are",
     .query = {{.name = "cursor", .doc = "`next` of the previous page."},
               {.name = "limit",
                .doc = "Objects of a page; 100 by default.",
                .type = parameter_type::whole,
                .min = 1,
                .max = 1000}},
     .answers = {{200, "In the order of their ids.", schema_of<object_progress_page>()}},
     .run = list_progress},
    {.method = "GET",
     .path = "/statistics/objects/{object_id}",
     .least = token_level::read,
     .tag = "statistics",
     .summary = "Says how far an object is",
     .answers = {{200, "Its tasks and times.", schema_of<object_progress>()}},
     .run = object_progress_of},
  };
}

} // namespace troupe
