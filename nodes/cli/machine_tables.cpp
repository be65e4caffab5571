#include "nodes/cli/machine_tables.hpp"

#include "config/printable.hpp"
#include "messages/machine.hpp"
#include "messages/time.hpp"
#include "nodes/cli/table.hpp"

#include <algorithm>
#include <iomanip>
#include <sstream>

namespace troupe::cli {

namespace {

/// Text of a member whatever its type; "" if it is absent or null.
std::string word_at(const json& in, const char* key) {
  auto i = in.is_object() ? in.find(key) : in.end();
  if (i == in.end() || i->is_null())
    return {};
  return i->is_string() ? i->get<std::string>() : json_text(*i);
}

const json& list_at(const json& in, const char* key) {
  static const auto none = json::array();
  auto i = in.is_object() ? in.find(key) : in.end();
  return i != in.end() && i->is_array() ? *i : none;
}

std::string name_of_machine(const json& x) {
  return word_at(x, "datacenter") + ':' + word_at(x, "machine");
}

std::string age_of(const std::string& time, caf::timestamp now) {
  auto t = parse_machine_time(time);
  return t ? to_short_text(now - *t) + " ago" : time.empty() ? "never" : time;
}

std::string joined(const json& words) {
  auto out = std::string{};
  for (const auto& word : words)
    out +=
      (out.empty() ? "" : ",") + (word.is_string() ? word.get<std::string>() : json_text(word));
  return out;
}

bool is_true(const json& x, const char* key) {
  auto i = x.find(key);
  return i != x.end() && i->is_boolean() && i->get<bool>();
}

/// What a person should know beside the state.
std::string marks_of(const json& x) {
  auto out = std::string{};
  for (auto mark : {"missing", "stale", "overdue", "suspect", "quarantined"})
    if (is_true(x, mark) && word_at(x, "state") != mark)
      out += (out.empty() ? "" : ",") + std::string{mark};
  return out;
}

color color_of(const std::string& state) {
  if (state == "busy")
    return color::blue;
  if (state == "idle")
    return color::green;
  if (state == "lost" || state == "missing")
    return color::red;
  if (state == "quarantined" || state == "shutdown")
    return color::yellow;
  return color::none;
}

std::string percent_at(const json& x, const char* key) {
  auto i = x.find(key);
  if (i == x.end() || !i->is_number())
    return {};
  auto out = std::ostringstream{};
  out << std::fixed << std::setprecision(0) << i->get<double>() * 100 << '%';
  return out.str();
}

void add_line(std::string& to, const char* name, const std::string& text) {
  if (text.empty())
    return;
  auto line = std::ostringstream{};
  line << "  " << std::left << std::setw(14) << name << printable(text) << '\n';
  to += line.str();
}

/// Returns "completed 12, failed 1, claim-expired 2".
std::string counts_text(const json& counts) {
  auto out = std::string{};
  for (const auto& [key, count] : counts.items()) {
    if (count.is_object())
      for (const auto& [reason, n] : count.items())
        out += (out.empty() ? "" : ", ") + reason + ' ' + json_text(n);
    else if (count.is_number() && count != 0)
      out += (out.empty() ? "" : ", ") + key + ' ' + json_text(count);
  }
  return out;
}

} // namespace

std::string machines_table(const terminal& io, const json& machines, caf::timestamp now) {
  auto rows = std::vector<std::vector<cell>>{};
  for (const auto& x : machines)
    rows.push_back({{name_of_machine(x)},
                    {word_at(x, "state"), color_of(word_at(x, "state"))},
                    {age_of(word_at(x, "lastseen"), now)},
                    {joined(list_at(x, "workerTypes"))},
                    {word_at(x, "laststatus")},
                    {percent_at(x, "success_rate")},
                    {marks_of(x), color::yellow}});
  return table_text(
    io, {"MACHINE", "STATE", "SEEN", "WORKER TYPES", "LAST STATUS", "GOOD", "MARKS"}, rows);
}

std::string machine_tasks_table(const terminal& io, const json& tasks) {
  auto rows = std::vector<std::vector<cell>>{};
  for (const auto& x : tasks) {
    auto state = word_at(x, "state");
    rows.push_back({{word_at(x, "taskId") + '/' + word_at(x, "runId")},
                    {state, state == "completed" ? color::green
                            : state == "running" ? color::blue
                                                 : color::red},
                    {word_at(x, "reasonResolved")},
                    {word_at(x, "workerType")},
                    {word_at(x, "started")},
                    {word_at(x, "resolved")}});
  }
  return table_text(io, {"TASK", "STATE", "REASON", "WORKER TYPE", "STARTED", "RESOLVED"}, rows);
}

std::string machine_text(const terminal& io, const json& x, caf::timestamp now) {
  auto state = word_at(x, "state");
  auto out = printable(name_of_machine(x)) + "  " + io.paint(color_of(state), printable(state));
  if (auto marks = marks_of(x); !marks.empty())
    out += "  " + io.paint(color::yellow, marks);
  out += '\n';
  auto seen = word_at(x, "lastseen");
  add_line(out, "last seen", seen.empty() ? "never" : seen + "  " + age_of(seen, now));
  add_line(out, "first seen", word_at(x, "firstseen"));
  add_line(out, "last message", word_at(x, "lastmessage"));
  add_line(out, "last status", word_at(x, "laststatus"));
  add_line(out, "last task", word_at(x, "lasttaskid"));
  add_line(out, "taken until", word_at(x, "takenuntil"));
  add_line(out, "provisioner", word_at(x, "provisionerId"));
  add_line(out, "worker types", joined(list_at(x, "workerTypes")));
  if (x.contains("counts"))
    add_line(out, "counts", counts_text(x["counts"]));
  add_line(out, "good", percent_at(x, "success_rate"));
  add_line(out, "quarantine", word_at(x, "quarantineUntil"));
  for (const auto& detail : list_at(x, "quarantineDetails"))
    add_line(out, "",
             word_at(detail, "updatedAt") + "  " + word_at(detail, "clientId") + ": "
               + word_at(detail, "quarantineInfo"));
  if (const auto& tasks = list_at(x, "recentTasks"); !tasks.empty())
    out += machine_tasks_table(io, tasks);
  return out;
}

std::string summary_table(const terminal& io, const json& summary) {
  auto rows = std::vector<std::vector<cell>>{};
  auto add = [&](const json& x, const std::string& datacenter) {
    rows.push_back({{datacenter}, {word_at(x, "workerType")}});
    for (auto key : {"total", "busy", "idle", "lost", "shutdown", "unknown", "stale", "overdue",
                     "suspect", "quarantined", "missing"}) {
      auto count = word_at(x, key);
      auto alarming = std::string_view{key} == "lost" || std::string_view{key} == "missing";
      rows.back().push_back({count, alarming && count != "0" ? color::red : color::none});
    }
  };
  for (const auto& x : list_at(summary, "rows"))
    add(x, word_at(x, "datacenter"));
  if (summary.contains("total"))
    add(summary["total"], "all");
  return table_text(io,
                    {"DATACENTER", "WORKER TYPE", "TOTAL", "BUSY", "IDLE", "LOST", "SHUTDOWN",
                     "UNKNOWN", "STALE", "OVERDUE", "SUSPECT", "QUARANTINED", "MISSING"},
                    rows);
}

} // namespace troupe::cli
