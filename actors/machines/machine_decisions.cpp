#include "actors/machines/machine_draft.hpp"

#include <algorithm>

/// What is decided here about machines: quarantine, inventory, forgetting, alerts.
namespace troupe {

namespace {

constexpr auto most_details = size_t{50};

std::string time_bytes(caf::timestamp t) {
  return number_key(static_cast<uint64_t>(t.time_since_epoch().count()));
}

} // namespace

caf::error machine_table::apply_quarantine(const machine_quarantined& x, draft& to) {
  if (!split_machine_id(x.machine))
    return {};
  auto where = touch(x.machine, to);
  auto& row = rows_.at(where);
  // Of two marks the later one counts, however they come.
  if (auto& more = row.change_more(); x.at >= more.quarantine_at) {
    more.quarantine_at = x.at;
    more.quarantine_until = x.until > x.at ? x.until : caf::timestamp{};
  }
  auto key = machine_keys::details(x.machine);
  auto all = quarantine_history{};
  auto pending = to.pending(key);
  auto stored =
    pending != nullptr ? caf::expected<std::optional<std::string>>{*pending} : table_->get(key);
  if (!stored)
    return std::move(stored.error());
  if (*stored)
    if (auto read = decode<quarantine_history>(**stored))
      all = std::move(*read);
  auto detail = quarantine_detail{x.by, x.at, x.until, x.why};
  if (detail.why.size() > quarantine_text_size)
    detail.why.resize(quarantine_text_size);
  all.details.insert(all.details.begin(), std::move(detail));
  std::stable_sort(all.details.begin(), all.details.end(),
                   [](const auto& a, const auto& b) { return b.at < a.at; });
  if (all.details.size() > most_details)
    all.details.resize(most_details);
  to.history[key] = encode(all);
  return {};
}

void machine_table::apply_inventory(const machine_inventory& x, draft& to) {
  for (const auto& id : x.added)
    if (split_machine_id(id))
      rows_.at(touch(id, to)).expected = true;
  for (const auto& id : x.removed) {
    auto where = rows_.find(id);
    if (where == machine_rows::nowhere)
      continue;
    touch(id, to);
    auto& row = rows_.at(where);
    row.expected = false;
    if (!row.heard() && row.more().quarantine_at == never)
      rows_.remove(where);
  }
}

caf::error machine_table::apply_forgotten(const machine_forgotten& x, draft& to) {
  auto& at = forgotten_[x.id];
  to.forgotten_before.try_emplace(x.id, at == caf::timestamp{} ? std::nullopt : std::optional{at});
  at = std::max(at, x.at);
  to.changes.emplace_back(machine_keys::tombstone(x.id), time_bytes(at));
  auto where = rows_.find(x.id);
  return where != machine_rows::nowhere ? drop(where, to) : caf::error{};
}

void machine_table::apply_alert(const machine_alert& x, draft& to) {
  ++counts_.alerts[std::string{name_of(x.what)}];
  auto where = rows_.find(x.machine);
  if (where == machine_rows::nowhere)
    return;
  touch(x.machine, to);
  auto& alerts = rows_.at(where).alerts;
  alerts = x.what == machine_trouble::back
             ? uint8_t{0}
             : static_cast<uint8_t>(alerts | 1U << static_cast<unsigned>(x.what));
}

/// Removes a machine with all that it did.
caf::error machine_table::drop(machine_rows::place where, draft& to) {
  auto id = rows_.at(where).id;
  touch(id, to);
  rows_.remove(where);
  to.history[machine_keys::details(id)] = std::nullopt;
  return erase_prefix(machine_keys::history(id), to);
}

caf::error machine_table::erase_prefix(const std::string& prefix, draft& to) {
  for (auto& [key, value] : to.history)
    if (key.starts_with(prefix))
      value = std::nullopt;
  auto range = key_range{prefix, machine_keys::after(prefix), false};
  return table_->scan(range, [&](std::string_view key, std::string_view) {
    to.history[std::string{key}] = std::nullopt;
    return true;
  });
}

caf::expected<bool> machine_table::retire(caf::timestamp before, size_t most) {
  auto to = draft{};
  to.mark = mark_;
  to.counts = counts_;
  const auto& all = rows_.by_id();
  auto i = all.upper_bound(retired_up_to_);
  auto going = std::vector<machine_rows::place>{};
  for (auto n = size_t{0}; i != all.end() && n < most; ++i, ++n) {
    retired_up_to_ = i->first;
    const auto& row = rows_.at(i->second);
    if (row.heard() && std::max(row.seen, row.message) < before && !row.expected
        && row.more().quarantine_until == never)
      going.push_back(i->second);
  }
  auto more = i != all.end();
  if (!more)
    retired_up_to_.clear();
  for (auto where : going)
    if (auto why = drop(where, to)) {
      roll_back(to);
      return why;
    }
  if (auto why = write(to))
    return why;
  return more;
}

} // namespace troupe
