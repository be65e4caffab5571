#include "actors/journal/memory_backend.hpp"

#include "messages/ids.hpp"

#include <algorithm>

namespace troupe {

namespace {

uint64_t size_of(const stored_event& x) {
  return x.what.payload.size() + x.what.topic.size() + 32;
}

} // namespace

memory_backend::memory_backend() : id_{random_token()} {}

std::string memory_backend::id() const {
  return id_;
}

journal_head memory_backend::head() const {
  auto lock = std::lock_guard{mutex_};
  return head_;
}

caf::error memory_backend::commit(journal_commit& what) {
  auto lock = std::lock_guard{mutex_};
  if (failure_)
    return failure_;
  head_.next += what.events.size();
  head_.next_ordinal += what.ids.size();
  std::move(what.events.begin(), what.events.end(), std::back_inserter(events_));
  for (auto& x : what.ids)
    ids_.insert_or_assign(std::move(x.id), std::move(x.what));
  for (const auto& [owner, epoch] : what.epochs)
    epochs_.insert_or_assign(owner, epoch);
  return {};
}

caf::expected<std::vector<std::optional<kept_id>>>
memory_backend::find_ids(std::span<const std::string_view> ids) const {
  auto lock = std::lock_guard{mutex_};
  auto out = std::vector<std::optional<kept_id>>(ids.size());
  for (auto i = size_t{0}; i < ids.size(); ++i)
    if (auto at = ids_.find(std::string{ids[i]}); at != ids_.end())
      out[i] = at->second;
  return out;
}

void memory_backend::forget_ids(uint64_t below_ordinal, caf::timestamp older_than) {
  auto lock = std::lock_guard{mutex_};
  std::erase_if(ids_, [&](const auto& x) {
    return x.second.ordinal < below_ordinal || x.second.arrived <= older_than;
  });
}

caf::expected<event_batch> memory_backend::read(const read_events& what) const {
  auto lock = std::lock_guard{mutex_};
  if (what.from < head_.first)
    return fault_at(ec::gone, std::to_string(head_.first), "older events were trimmed");
  auto out = event_batch{{}, what.from, what.from >= head_.next};
  auto bytes = uint64_t{0};
  for (; out.next < head_.next && out.events.size() < what.max_events; ++out.next) {
    const auto& x = events_[out.next - head_.first];
    bytes += size_of(x);
    if (bytes > what.max_bytes && !out.events.empty())
      break;
    out.events.push_back(x);
  }
  out.at_end = out.next >= head_.next;
  return out;
}

caf::expected<std::map<std::string, uint64_t>> memory_backend::cursors() const {
  auto lock = std::lock_guard{mutex_};
  return cursors_;
}

caf::expected<std::map<std::string, uint64_t>> memory_backend::epochs() const {
  auto lock = std::lock_guard{mutex_};
  return epochs_;
}

caf::error memory_backend::keep_cursor(const cursor& x) {
  auto lock = std::lock_guard{mutex_};
  cursors_.insert_or_assign(x.name, x.sequence);
  return {};
}

caf::error memory_backend::drop_cursor(const std::string& name) {
  auto lock = std::lock_guard{mutex_};
  cursors_.erase(name);
  return {};
}

caf::error memory_backend::trim(uint64_t below) {
  auto lock = std::lock_guard{mutex_};
  for (; head_.first < std::min(below, head_.next); ++head_.first)
    events_.pop_front();
  return {};
}

uint64_t memory_backend::bytes_from(uint64_t sequence) const {
  auto lock = std::lock_guard{mutex_};
  auto bytes = uint64_t{0};
  for (auto i = std::max(sequence, head_.first); i < head_.next; ++i)
    bytes += size_of(events_[i - head_.first]);
  return bytes;
}

bool memory_backend::accepting() const {
  auto lock = std::lock_guard{mutex_};
  return failure_ != ec::disk_full;
}

uint64_t memory_backend::free_bytes() const {
  return UINT64_MAX;
}

void memory_backend::fail_commits(caf::error why) {
  auto lock = std::lock_guard{mutex_};
  failure_ = std::move(why);
}

} // namespace troupe
