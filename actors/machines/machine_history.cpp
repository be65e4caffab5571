#include "actors/machines/machine_history.hpp"

#include "actors/machines/machine_fold.hpp"

#include <algorithm>

namespace troupe {

namespace {

constexpr auto end_of_text = '\0';
constexpr auto most_in_a_row = uint32_t{999};

std::string begin_bytes(caf::timestamp begin) {
  // The sign bit turned orders all numbers, and all of it turned orders them downwards.
  auto x = static_cast<uint64_t>(begin.time_since_epoch().count()) ^ (uint64_t{1} << 63);
  return number_key(~x);
}

caf::timestamp read_begin(std::string_view bytes) {
  auto x = ~key_number(bytes).value_or(0) ^ (uint64_t{1} << 63);
  return caf::timestamp{caf::timespan{static_cast<int64_t>(x)}};
}

/// Puts the words about one run together: what ended it counts.
void merge(machine_task& to, const history_key& key, const history_entry& x) {
  to.task = key.task;
  to.run = key.run;
  if (to.state.empty() || key.kind != machine_sign::running) {
    to.state = x.state;
    to.reason = key.reason;
  }
  if (!x.worker_type.empty())
    to.worker_type = x.worker_type;
  to.started = std::max(to.started, x.started);
  to.resolved = std::max(to.resolved, x.resolved);
}

/// Visits the runs of a machine, the latest first; `see` gets the last kind, returns false to stop.
template <class See>
caf::error visit_runs(const projection_table& table, std::string_view id, std::string_view after,
                      See see) {
  auto prefix = machine_keys::history(id);
  auto range = key_range{prefix, machine_keys::after(prefix), false};
  if (!after.empty())
    range.from = machine_keys::after(prefix + std::string{after});
  auto part = std::string{};
  auto task = machine_task{};
  auto kind = machine_sign::unknown;
  auto fault = caf::error{};
  auto stopped = false;
  auto end = [&] {
    stopped = !part.empty() && !see(task, kind, std::string_view{part});
    task = {};
    kind = machine_sign::unknown;
    return !stopped;
  };
  auto why = table.scan(range, [&](std::string_view key, std::string_view value) {
    auto parts = machine_keys::read_history(key, prefix.size());
    auto entry = decode<history_entry>(value);
    if (!parts || !entry) {
      fault = troupe::fault(ec::corrupt, "a machine's history cannot be read");
      return false;
    }
    if (parts->run_part != part && !end())
      return false;
    part = parts->run_part;
    kind = std::max(kind, parts->kind);
    merge(task, *parts, *entry);
    return true;
  });
  if (why || fault)
    return why ? why : fault;
  if (!stopped)
    end();
  return {};
}

} // namespace

namespace machine_keys {

std::string row(std::string_view id) {
  return std::string{"r"}.append(id);
}
std::string details(std::string_view id) {
  return std::string{"q"}.append(id);
}
std::string tombstone(std::string_view id) {
  return std::string{"f"}.append(id);
}

std::string history(std::string_view id) {
  return std::string{"h"}.append(id).append(1, end_of_text);
}

std::string history(std::string_view id, caf::timestamp begin, const machine_seen& x) {
  auto out = std::string{};
  out.reserve(id.size() + x.task.size() + x.reason.size() + 16);
  out.append("h").append(id).append(1, end_of_text).append(begin_bytes(begin));
  out.append(x.task).append(1, end_of_text);
  for (auto shift : {24, 16, 8, 0})
    out.push_back(static_cast<char>(x.run >> shift));
  out.push_back(static_cast<char>(x.kind));
  if (x.kind == machine_sign::exception)
    out.append(x.reason);
  return out;
}

std::string history_before(std::string_view id, caf::timestamp begin) {
  return history(id).append(begin_bytes(begin - caf::timespan{1}));
}

std::optional<history_key> read_history(std::string_view key, size_t prefix) {
  auto out = history_key{};
  auto in = key.substr(std::min(prefix, key.size()));
  auto zero = in.size() > 8 ? in.find(end_of_text, 8) : std::string_view::npos;
  if (zero == std::string_view::npos || in.size() < zero + 6)
    return std::nullopt;
  out.begin = read_begin(in.substr(0, 8));
  out.task = in.substr(8, zero - 8);
  for (auto c : in.substr(zero + 1, 4))
    out.run = out.run << 8 | static_cast<uint8_t>(c);
  out.kind = static_cast<machine_sign>(in[zero + 5]);
  out.reason = in.substr(zero + 6);
  if (out.kind == machine_sign::completed || out.kind == machine_sign::failed)
    out.reason = name_of(out.kind);
  out.run_part = in.substr(0, zero + 5);
  return out;
}

std::string after(std::string prefix) {
  while (!prefix.empty() && static_cast<uint8_t>(prefix.back()) == 0xff)
    prefix.pop_back();
  if (!prefix.empty())
    ++prefix.back();
  return prefix;
}

} // namespace machine_keys

caf::expected<history_page> read_runs(const projection_table& table, std::string_view id,
                                      std::string_view after, size_t most) {
  auto out = history_page{};
  auto last = std::string{};
  auto why =
    visit_runs(table, id, after, [&](machine_task& task, machine_sign, std::string_view part) {
      if (out.tasks.size() == most) {
        out.next = last;
        return false;
      }
      out.tasks.push_back(std::move(task));
      last = part;
      return true;
    });
  if (why)
    return why;
  return out;
}

caf::expected<machine_streaks> read_streaks(const projection_table& table, std::string_view id) {
  auto out = machine_streaks{};
  auto why = visit_runs(
    table, id, {}, [&](const machine_task& task, machine_sign kind, std::string_view part) {
      if (kind == machine_sign::running)
        return true; // not over, or its end is unknown
      if (kind == machine_sign::exception && !blames_machine(task.reason))
        return true;
      auto failed = kind == machine_sign::failed;
      if (kind == machine_sign::completed || (failed ? out.exceptions : out.failures) > 0)
        return false;
      auto& n = failed ? out.failures : out.exceptions;
      if (n == 0)
        out.task = task.task;
      out.since = read_begin(part.substr(0, 8));
      return ++n < most_in_a_row;
    });
  if (why)
    return why;
  return out;
}

} // namespace troupe
