#include "bridges/http/routes/machine_query.hpp"

#include <algorithm>

namespace troupe {

namespace {

constexpr auto longest_wait = int64_t{100LL * 366 * 24 * 3600};

/// The words of an enumeration, for the table.
template <class E>
std::string words_of() {
  auto out = std::string{};
  for (auto word : enum_names<E>)
    if (!word.empty())
      out += (out.empty() ? "" : "|") + std::string{word};
  return out;
}

caf::timestamp read_time(const call& c, const char* name, std::vector<json_fault>& faults) {
  auto text = c.text(name);
  if (text.empty() && c.in.query.find(name) == c.in.query.end())
    return {};
  auto time = parse_machine_time(text);
  if (!time)
    faults.push_back({std::string{"query."} + name,
                      "must be a time such as 2018-11-08T08:47:50 (UTC) or with Z or +hh:mm"});
  return time.value_or(caf::timestamp{});
}

} // namespace

std::vector<query_parameter> machine_list_parameters() {
  return {
    {.name = "fields",
     .doc = "What to tell: lastseen (alone or with status the original's whole list) or all.",
     .type = parameter_type::word,
     .one_of = "lastseen|status|all"},
    {.name = "datacenter", .doc = "Only of this datacenter."},
    {.name = "workerType", .doc = "Only of this worker type."},
    {.name = "provisionerId", .doc = "Only of this provisioner."},
    {.name = "state",
     .doc = "Only in this state.",
     .type = parameter_type::word,
     .one_of = words_of<machine_filter>()},
    {.name = "quarantined",
     .doc = "Only those in quarantine, or only the others.",
     .type = parameter_type::flag},
    {.name = "stale_for",
     .doc = "Only those that were not seen for so many seconds.",
     .type = parameter_type::whole,
     .min = 1,
     .max = longest_wait},
    {.name = "seen_before", .doc = "Only those last seen before this time."},
    {.name = "seen_after", .doc = "Only those last seen after this time."},
    {.name = "sort",
     .doc = "By lastseen (the default), -lastseen or id.",
     .type = parameter_type::word,
     .one_of = words_of<machine_order>()},
    {.name = "limit",
     .doc = "Machines of a page; 100 by default.",
     .type = parameter_type::whole,
     .min = 1,
     .max = 1000},
    {.name = "recentTasks",
     .doc = "Latest tasks of each machine; none by default.",
     .type = parameter_type::whole,
     .min = 0,
     .max = recent_machine_tasks},
    {.name = "continuationToken", .doc = "That of the page before."},
  };
}

bool wants_machine_page(const call& c) {
  return std::any_of(c.in.query.begin(), c.in.query.end(),
                     [](const auto& x) { return x.first != "fields" || x.second == "all"; });
}

list_machines read_machine_query(const call& c, std::vector<json_fault>& faults) {
  auto out = list_machines{};
  out.datacenter = c.text("datacenter");
  out.worker_type = c.text("workerType");
  out.provisioner = c.text("provisionerId");
  if (auto word = enum_of<machine_filter>(c.text("state")))
    out.state = *word;
  if (!c.text("quarantined").empty())
    out.quarantined = c.flag("quarantined");
  out.stale_for = std::chrono::seconds{c.whole("stale_for").value_or(0)};
  out.seen_before = read_time(c, "seen_before", faults);
  out.seen_after = read_time(c, "seen_after", faults);
  if (auto word = enum_of<machine_order>(c.text("sort")))
    out.order = *word;
  out.after = c.text("continuationToken");
  out.limit = static_cast<uint32_t>(c.whole("limit").value_or(out.limit));
  out.recent = static_cast<uint32_t>(c.whole("recentTasks").value_or(0));
  return out;
}

} // namespace troupe
