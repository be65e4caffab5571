#include "actors/journal/embedded_backend.hpp"

#include "messages/ids.hpp"

#include <algorithm>

namespace troupe {

namespace {

constexpr auto id_key = std::string_view{"journal/id"};
constexpr auto head_key = std::string_view{"journal/head"};
constexpr auto epoch_prefix = std::string_view{"journal/epoch/"};

/// Writes the 8 bytes of a number as a key, without allocating.
struct sequence_key {
  explicit sequence_key(uint64_t x) {
    for (auto i = 0; i < 8; ++i)
      bytes[7 - i] = static_cast<char>(x >> (8 * i));
  }
  operator std::string_view() const {
    return {bytes, sizeof bytes};
  }
  char bytes[8];
};

/// A block of events is not made longer than needed to reach this size.
constexpr auto block_bytes = size_t{64} << 10;

/// Returns the first of the records that stand one after the other, without
/// decoding it; all that is left if they are damaged.
std::string_view first_record(std::string_view records) {
  auto in = decoder{records};
  auto body = in.take(in.number());
  if (!in.ok())
    return records;
  return records.substr(0, static_cast<size_t>(body.data() + body.size() - records.data()));
}

/// Returns the first field of an encoded `stored_event`.
uint64_t sequence_of(std::string_view record) {
  auto in = decoder{record};
  in.number();
  return in.number();
}

/// Reads all keys that start with `prefix` as name -> number.
caf::expected<std::map<std::string, uint64_t>> numbers(const database& db, family where,
                                                       std::string_view prefix) {
  auto out = std::map<std::string, uint64_t>{};
  auto broken = false;
  auto why = db.scan(where, {std::string{prefix}, {}, false}, [&](auto key, auto value) {
    if (!key.starts_with(prefix))
      return false;
    auto x = decode<uint64_t>(value);
    broken = broken || !x;
    if (x)
      out.emplace(key.substr(prefix.size()), *x);
    return !broken;
  });
  if (why)
    return why;
  if (broken)
    return fault(ec::corrupt, "a number in the journal's store cannot be read");
  return out;
}

} // namespace

caf::expected<std::shared_ptr<embedded_backend>>
embedded_backend::open(std::shared_ptr<database> db) {
  auto out = std::shared_ptr<embedded_backend>{new embedded_backend{std::move(db)}};
  if (auto why = out->load())
    return why;
  return out;
}

embedded_backend::embedded_backend(std::shared_ptr<database> db)
  : db_{std::move(db)}, batch_{*db_} {}

caf::error embedded_backend::load() {
  auto id = db_->get(family::standard, id_key);
  if (!id)
    return std::move(id.error());
  if (!*id)
    return create();
  id_ = **id;
  auto stored = db_->get(family::standard, head_key);
  if (!stored)
    return std::move(stored.error());
  auto head = *stored ? decode<journal_head>(**stored) : fault(ec::corrupt, "no head");
  if (!head)
    return fault(ec::corrupt, "the journal's head cannot be read");
  // The head is written with the events, so the last of them must be the one before it.
  auto last = head->first - 1;
  auto why = db_->scan(family::journal, {{}, {}, true}, [&](auto key, auto) {
    last = key_number(key).value_or(0);
    return false;
  });
  if (why)
    return why;
  if (last + 1 != head->next)
    return fault(ec::corrupt, "the journal should end at " + std::to_string(head->next - 1)
                                + " but ends at " + std::to_string(last));
  head_ = *head;
  return {};
}

caf::error embedded_backend::create() {
  id_ = random_token();
  batch_.put(family::standard, id_key, id_);
  batch_.put(family::standard, head_key, encode(head_));
  return db_->write(batch_, durability::synced, write_kind::accepted);
}

std::string embedded_backend::id() const {
  return id_;
}

journal_head embedded_backend::head() const {
  auto lock = std::lock_guard{mutex_};
  return head_;
}

void embedded_backend::move_head(journal_head to) {
  auto lock = std::lock_guard{mutex_};
  head_ = to;
}

/// One key per block instead of one per event: a third less work for the
/// database, now and in each compaction. The key is the *last* sequence, so that
/// a seek for any sequence finds its block, and a cut leaves the block it cuts into.
void embedded_backend::put_events(const std::vector<stored_event>& events) {
  buffer_.clear();
  for (const auto& x : events) {
    encoder{buffer_}.value(x);
    if (buffer_.size() < block_bytes && &x != &events.back())
      continue;
    batch_.put(family::journal, sequence_key{x.sequence}, buffer_);
    buffer_.clear();
  }
}

caf::error embedded_backend::commit(journal_commit& what) {
  batch_.clear();
  auto put = [this](family where, std::string_view key, const auto& value) {
    buffer_.clear();
    encoder{buffer_}.value(value);
    batch_.put(where, key, buffer_);
  };
  put_events(what.events);
  for (const auto& x : what.ids) {
    // The first 16 bytes are read by the compaction filter, see `families.hpp`.
    buffer_.assign(sequence_key{x.what.ordinal});
    buffer_.append(sequence_key{static_cast<uint64_t>(x.what.arrived.time_since_epoch().count())});
    encoder{buffer_}.value(x.what);
    batch_.put(family::ids, x.id, buffer_);
  }
  for (const auto& [owner, epoch] : what.epochs)
    put(family::standard, std::string{epoch_prefix} + owner, epoch);
  auto next = head();
  next.next += what.events.size();
  next.next_ordinal += what.ids.size();
  put(family::standard, head_key, next);
  if (auto why = db_->write(batch_, durability::synced, write_kind::accepted))
    return why;
  move_head(next);
  return {};
}

caf::expected<std::vector<std::optional<kept_id>>>
embedded_backend::find_ids(std::span<const std::string_view> ids) const {
  auto values = db_->multi_get(family::ids, ids);
  if (!values)
    return std::move(values.error());
  auto out = std::vector<std::optional<kept_id>>(ids.size());
  for (auto i = size_t{0}; i < ids.size(); ++i) {
    if (!(*values)[i])
      continue;
    auto bytes = std::string_view{*(*values)[i]};
    auto known = decode<kept_id>(bytes.substr(std::min<size_t>(16, bytes.size())));
    if (!known)
      return fault(ec::corrupt, "a remembered id cannot be read");
    out[i] = std::move(*known);
  }
  return out;
}

void embedded_backend::forget_ids(uint64_t below_ordinal, caf::timestamp older_than) {
  db_->keep_ids(below_ordinal, older_than.time_since_epoch().count());
}

caf::expected<event_batch> embedded_backend::read(const read_events& what) const {
  auto end = head();
  if (what.from < end.first)
    return fault_at(ec::gone, std::to_string(end.first), "older events were trimmed");
  auto out = event_batch{{}, what.from, what.from >= end.next};
  if (out.at_end)
    return out;
  out.events.reserve(std::min<uint64_t>(what.max_events, end.next - what.from));
  auto bytes = uint64_t{0};
  auto broken = false;
  auto enough = false;
  auto visit = [&](std::string_view, std::string_view block) {
    while (!block.empty() && !broken && !enough) {
      auto record = first_record(block);
      block.remove_prefix(record.size());
      if (sequence_of(record) < what.from)
        continue;
      bytes += record.size();
      enough =
        out.events.size() == what.max_events || (bytes > what.max_bytes && !out.events.empty());
      if (enough)
        break;
      auto in = decoder{record};
      auto& x = out.events.emplace_back();
      in.value(x);
      broken = !in.ok() || x.sequence != out.next++;
    }
    return !broken && !enough;
  };
  auto range = key_range{number_key(what.from), number_key(end.next), false};
  if (auto why = db_->scan(family::journal, range, visit))
    return why;
  // A cut may have happened since the head was read.
  if (auto now_first = head().first; what.from < now_first)
    return fault_at(ec::gone, std::to_string(now_first), "older events were trimmed");
  if (broken || out.events.empty())
    return fault(ec::corrupt, "the journal is damaged at " + std::to_string(out.next));
  out.at_end = out.next >= end.next;
  return out;
}

caf::expected<std::map<std::string, uint64_t>> embedded_backend::cursors() const {
  return numbers(*db_, family::cursors, {});
}

caf::expected<std::map<std::string, uint64_t>> embedded_backend::epochs() const {
  return numbers(*db_, family::standard, epoch_prefix);
}

caf::error embedded_backend::keep_cursor(const cursor& x) {
  auto batch = write_batch{*db_};
  batch.put(family::cursors, x.name, encode(x.sequence));
  return db_->write(batch, durability::lazy, write_kind::relieving);
}

caf::error embedded_backend::drop_cursor(const std::string& name) {
  auto batch = write_batch{*db_};
  batch.erase(family::cursors, name);
  return db_->write(batch, durability::lazy, write_kind::relieving);
}

caf::error embedded_backend::trim(uint64_t below) {
  auto was = head();
  if (below <= was.first)
    return {};
  auto to = was;
  to.first = std::min(below, to.next);
  auto batch = write_batch{*db_};
  batch.erase_range(family::journal, number_key(was.first), number_key(to.first));
  batch.put(family::standard, head_key, encode(to));
  // Readers must see the cut before the gap.
  move_head(to);
  if (auto why = db_->write(batch, durability::synced, write_kind::relieving)) {
    move_head(was);
    return why;
  }
  return db_->drop_files(family::journal, {{}, number_key(to.first), false});
}

uint64_t embedded_backend::bytes_from(uint64_t sequence) const {
  return db_->estimated_bytes(family::journal, {number_key(sequence), {}, false});
}

bool embedded_backend::accepting() const {
  return !db_->guard() || db_->guard()->accepting();
}

uint64_t embedded_backend::free_bytes() const {
  return db_->guard() ? db_->guard()->free_bytes() : UINT64_MAX;
}

} // namespace troupe
