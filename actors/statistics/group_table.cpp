#include "actors/statistics/group_table.hpp"

#include <algorithm>

namespace troupe {

namespace {

/// Names come from outside; a longer one shares the group of those that begin like it.
constexpr auto longest_name = size_t{200};

std::string_view short_name(std::string_view name) {
  return name.empty() ? "unknown" : name.substr(0, longest_name);
}

} // namespace

tally& group_table::at(std::string_view name, uint64_t sequence) {
  name = short_name(name);
  auto i = by_name_.find(name);
  if (i == by_name_.end()) {
    if (by_age_.size() == most_)
      make_room();
    by_age_.push_front({std::string{name}, {}, false});
    gone_.erase(by_age_.front().name);
    i = by_name_.emplace(by_age_.front().name, by_age_.begin()).first;
  } else if (i->second != by_age_.begin()) {
    by_age_.splice(by_age_.begin(), by_age_, i->second);
  }
  change(*i->second);
  i->second->counts.last_sequence = sequence;
  return i->second->counts;
}

void group_table::change(group& x) {
  if (!std::exchange(x.changed, true))
    changed_.push_back(&x);
}

void group_table::make_room() {
  auto& oldest = by_age_.back();
  if (oldest.changed)
    changed_.erase(std::find(changed_.begin(), changed_.end(), &oldest));
  other_.merge(oldest.counts);
  other_changed_ = other_exists_ = true;
  gone_.insert(oldest.name);
  by_name_.erase(oldest.name);
  by_age_.pop_back();
}

void group_table::take_back(std::string_view name, uint64_t tally::*member) {
  auto i = by_name_.find(short_name(name));
  if (i != by_name_.end() && i->second->counts.*member > 0) {
    --(i->second->counts.*member);
    change(*i->second);
  } else if (other_.*member > 0) {
    --(other_.*member);
    other_changed_ = true;
  }
}

const tally* group_table::find(std::string_view name) const {
  auto i = by_name_.find(short_name(name));
  return i == by_name_.end() ? nullptr : &i->second->counts;
}

void group_table::visit(const std::function<bool(std::string_view, const tally&)>& see) const {
  for (const auto& x : by_age_)
    if (!see(x.name, x.counts))
      return;
  if (other_exists_)
    see("other", other_);
}

caf::error group_table::load(const projection_table& from) {
  auto why = caf::error{};
  auto end = prefix_;
  ++end.back();
  auto read = [&](std::string_view key, std::string_view value) {
    auto counts = tally::load(value);
    if (!counts) {
      why = std::move(counts.error());
      return false;
    }
    if (key.size() == prefix_.size()) {
      other_ = std::move(*counts);
      other_exists_ = true;
    } else {
      by_age_.push_back({std::string{key.substr(prefix_.size())}, std::move(*counts), false});
    }
    return true;
  };
  if (auto broken = from.scan({prefix_, end, false}, read))
    return broken;
  by_age_.sort(
    [](const group& a, const group& b) { return a.counts.last_sequence > b.counts.last_sequence; });
  for (auto i = by_age_.begin(); i != by_age_.end(); ++i)
    by_name_.emplace(i->name, i);
  return why;
}

void group_table::save(table_changes& to) {
  for (const auto& name : gone_)
    to.emplace_back(prefix_ + name, std::nullopt);
  gone_.clear();
  for (auto* x : changed_) {
    x->changed = false;
    to.emplace_back(prefix_ + x->name, x->counts.bytes());
  }
  changed_.clear();
  if (std::exchange(other_changed_, false))
    to.emplace_back(prefix_, other_.bytes());
}

} // namespace troupe
