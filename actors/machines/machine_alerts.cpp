#include "actors/machines/machine_alerts.hpp"

#include "messages/time.hpp"

#include <algorithm>

namespace troupe {

namespace {

uint8_t bit(machine_trouble x) {
  return static_cast<uint8_t>(1U << static_cast<unsigned>(x));
}

std::string text_of(const machine_alert& x, caf::timestamp now) {
  auto since = to_iso8601(x.since);
  switch (x.what) {
    case machine_trouble::lost: return x.machine + " is lost: its claim expired at " + since;
    case machine_trouble::stale:
      return x.machine + " gave no sign of life for " + to_short_text(now - x.since);
    case machine_trouble::exceptions:
      return x.machine + ": " + std::to_string(x.count) + " runs in a row ended in an exception";
    case machine_trouble::back: return x.machine + " is back since " + since;
  }
  return x.machine;
}

} // namespace

caf::error machine_alerts::look(machine_rows::place where, bool heard, caf::timestamp now,
                                std::vector<machine_alert>& out) {
  const auto& row = table_.rows().at(where);
  // What was only imported was never ours to watch.
  if (row.empty() || row.message == never)
    return {};
  if (!under_way_.empty())
    for (auto x : {machine_trouble::lost, machine_trouble::stale, machine_trouble::exceptions,
                   machine_trouble::back})
      if (x == machine_trouble::back ? row.alerts == 0 : (row.alerts & bit(x)) != 0)
        under_way_.erase({std::string{row.id}, x});
  auto is = condition_of(row, now, table_.limits().ages);
  if (is.quarantined || is.state == machine_state::shutdown)
    return {};
  auto streaks = machine_streaks{};
  if (in_a_row_ > 0 && !row.more().exceptions.empty()
      && (heard || (row.alerts & bit(machine_trouble::exceptions)) != 0)) {
    auto got = table_.streaks(row.id);
    if (!got)
      return std::move(got.error());
    streaks = std::move(*got);
  }
  auto raise = [&](machine_trouble what, caf::timestamp since, uint32_t count) {
    auto x = machine_alert{};
    x.machine = row.id;
    x.what = what;
    x.at = now;
    x.since = since;
    x.count = count;
    x.task = count > 0 ? streaks.task : std::string{row.task.view()};
    x.provisioner = table_.words().text(row.type.provisioner);
    x.worker_type = table_.words().text(row.type.type);
    x.text = text_of(x, now);
    if (hand_out(x))
      out.push_back(std::move(x));
  };
  auto wanted = [&](machine_trouble what, bool is_so) {
    return is_so && (row.alerts & bit(what)) == 0;
  };
  auto lost = is.state == machine_state::lost;
  auto failing = in_a_row_ > 0 && streaks.exceptions >= in_a_row_;
  if (wanted(machine_trouble::lost, lost))
    raise(machine_trouble::lost, row.more().lost_since, 0);
  if (wanted(machine_trouble::stale, is.stale))
    raise(machine_trouble::stale, row.seen != never ? row.seen : row.message, 0);
  if (wanted(machine_trouble::exceptions, failing))
    raise(machine_trouble::exceptions, streaks.since, streaks.exceptions);
  if (row.alerts != 0 && !lost && !is.stale && !failing)
    raise(machine_trouble::back, row.seen, 0);
  return {};
}

bool machine_alerts::hand_out(const machine_alert& x) {
  return under_way_.emplace(x.machine, x.what).second;
}

void machine_alerts::not_raised(const std::vector<machine_alert>& alerts) {
  for (const auto& x : alerts)
    under_way_.erase({x.machine, x.what});
}

std::string alert_id(const machine_alert& x) {
  auto out = std::string{"machine.alert/"};
  out += std::to_string(run_digest(x.machine, 0));
  out.append("/").append(name_of(x.what)).append("/");
  return out += std::to_string(x.since.time_since_epoch().count());
}

} // namespace troupe
