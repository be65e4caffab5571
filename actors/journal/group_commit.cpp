#include "actors/journal/group_commit.hpp"

#include <algorithm>

namespace troupe {

group_commit::group_commit(append_limits limits, std::map<std::string, uint64_t> epochs)
  : limits_{limits}, epochs_{std::move(epochs)} {}

caf::error group_commit::add(append_events& what) {
  if (auto why = check(what))
    return why;
  if (!what.owner.empty()) {
    auto [i, added] = epochs_.try_emplace(what.owner, what.epoch);
    if (what.epoch < i->second)
      return fault(ec::conflict, "a later " + what.owner + " has taken over (epoch "
                                   + std::to_string(i->second) + ")");
    if (added || what.epoch > i->second) {
      i->second = what.epoch;
      commit_.epochs[what.owner] = what.epoch;
    }
  }
  groups_ += what.groups.size();
  for (const auto& group : what.groups)
    for (const auto& x : group.events)
      bytes_ += x.payload.size();
  appends_.push_back({what.owner.empty() ? 0 : what.epoch, std::move(what.groups)});
  return {};
}

bool group_commit::full() const {
  return groups_ >= limits_.batch_groups || bytes_ >= limits_.batch_bytes
         || appends_.size() >= limits_.batch_groups;
}

caf::error group_commit::check(const append_events& what) const {
  auto bytes = uint64_t{0};
  if (what.groups.size() > limits_.append_groups)
    return fault_at(ec::too_large, "groups", "too many groups in one append");
  if (what.owner.size() > limits_.id_bytes)
    return fault_at(ec::invalid_argument, "owner", "the owner's name is too long");
  for (auto i = size_t{0}; i < what.groups.size(); ++i) {
    const auto& group = what.groups[i];
    auto place = [&](const char* field) { return "groups[" + std::to_string(i) + "]." + field; };
    if (group.id.size() > limits_.id_bytes)
      return fault_at(ec::invalid_argument, place("id"), "the id is too long");
    if (group.answer.size() > limits_.answer_bytes)
      return fault_at(ec::invalid_argument, place("answer"), "the answer is too long");
    bytes += group.id.size() + group.answer.size();
    for (const auto& x : group.events) {
      if (x.topic.empty() || x.topic.size() > limits_.topic_bytes)
        return fault_at(ec::invalid_argument, place("events"), "a topic is empty or too long");
      bytes += x.topic.size() + x.payload.size();
    }
  }
  if (bytes > limits_.append_bytes)
    return fault_at(ec::too_large, "groups",
                    "more than " + std::to_string(limits_.append_bytes) + " bytes in one append");
  return {};
}

caf::expected<std::vector<append_results>> group_commit::commit(journal_backend& backend,
                                                                caf::timestamp now) {
  auto known = known_ids(backend);
  if (!known) {
    clear();
    return std::move(known.error());
  }
  auto head = backend.head();
  auto out = std::vector<append_results>(appends_.size());
  auto next_known = known->begin();
  for (auto i = size_t{0}; i < appends_.size(); ++i) {
    auto& append = appends_[i];
    out[i].results.reserve(append.groups.size());
    for (auto& group : append.groups) {
      auto first_seen = group.id.empty() ? std::nullopt : std::move(*next_known++);
      out[i].results.push_back(decide(group, append.epoch, std::move(first_seen), head, now));
    }
  }
  auto why = commit_.empty() ? caf::error{} : backend.commit(commit_);
  clear();
  if (why)
    return why;
  // After a refusal the next commit still has to store them.
  commit_.epochs.clear();
  return out;
}

caf::expected<std::vector<std::optional<kept_id>>>
group_commit::known_ids(const journal_backend& backend) const {
  auto ids = std::vector<std::string_view>{};
  ids.reserve(groups_);
  for (const auto& append : appends_)
    for (const auto& group : append.groups)
      if (!group.id.empty())
        ids.push_back(group.id);
  if (ids.empty())
    return std::vector<std::optional<kept_id>>{};
  return backend.find_ids(ids);
}

append_result group_commit::decide(append_group& group, uint64_t epoch,
                                   std::optional<kept_id> known, journal_head& head,
                                   caf::timestamp now) {
  auto repeated = [&](uint64_t digest, const std::string& answer) {
    if (digest != group.digest)
      return append_result{append_outcome::conflicting, {}};
    return append_result{append_outcome::repeated, answer};
  };
  if (!group.id.empty()) {
    auto window = head.next_ordinal - std::min(head.next_ordinal, limits_.ids_kept);
    if (known && known->ordinal >= window && known->arrived > now - limits_.id_window)
      return repeated(known->digest, known->answer);
    // The view stays valid: the group lives until the commit is done.
    auto [i, added] = ids_in_batch_.try_emplace(group.id, decided_.size());
    if (!added)
      return repeated(decided_[i->second].first, decided_[i->second].second);
    decided_.emplace_back(group.digest, group.answer);
    commit_.ids.push_back({group.id, {head.next_ordinal++, now, group.digest, group.answer}});
  }
  for (auto& x : group.events)
    commit_.events.push_back({head.next++, epoch, now, std::move(x)});
  return {};
}

void group_commit::clear() {
  appends_.clear();
  groups_ = 0;
  bytes_ = 0;
  commit_.events.clear();
  commit_.ids.clear();
  ids_in_batch_.clear();
  decided_.clear();
}

} // namespace troupe
