#include "actors/objects/object_table.hpp"

#include "actors/objects/object_fold.hpp"
#include "actors/objects/object_keys.hpp"
#include "config/log.hpp"

#include <algorithm>

/// How the events of objects and tasks become rows.
namespace troupe {

using namespace object_keys;

namespace {

template <class T>
std::optional<T> read_event(const stored_event& x) {
  auto out = unpack<T>(x.what.payload);
  if (out)
    return std::move(*out);
  log(log_level::error, "objects", "event cannot be read",
      {{"sequence", x.sequence}, {"topic", x.what.topic}});
  return std::nullopt;
}

} // namespace

void object_table::draft::note(const task_change& what, uint64_t object) {
  if (what.dead == task_change::list::enters)
    dead[what.job] = object;
  else if (what.dead == task_change::list::leaves)
    dead[what.job] = std::nullopt;
}

caf::error object_table::open() {
  auto got = table_->get(mark_key);
  if (!got)
    return std::move(got.error());
  if (!*got)
    return {};
  auto read = decode<object_mark>(**got);
  if (!read)
    return std::move(read.error());
  mark_ = *read;
  return {};
}

caf::error object_table::keep_mark() {
  return table_->write({{mark_key, encode(mark_)}});
}

void object_table::skip_to(uint64_t sequence) {
  mark_.sequence = std::max(mark_.sequence, sequence - 1);
}

caf::error object_table::apply(const event_batch& batch) {
  auto to = draft{mark_, {}, {}, {}};
  for (const auto& x : batch.events) {
    if (x.sequence <= to.mark.sequence)
      continue;
    to.mark.sequence = x.sequence;
    if (auto why = apply_event(x, to))
      return why;
  }
  to.mark.sequence = std::max(to.mark.sequence, batch.next - 1);
  for (const auto& [id, object] : to.objects)
    to.changes.emplace_back(object_key(id), encode(object));
  for (const auto& [job, object] : to.dead)
    to.changes.emplace_back(dead_key(job), object ? std::optional{number(*object)} : std::nullopt);
  auto same = to.mark.ids_below == mark_.ids_below && to.mark.epoch == mark_.epoch;
  // Events of others move the mark only; it is written along with the next change.
  if (!to.changes.empty() || !same) {
    to.changes.emplace_back(mark_key, encode(to.mark));
    if (auto why = table_->write(to.changes))
      return why;
  }
  mark_ = to.mark;
  return {};
}

caf::error object_table::apply_event(const stored_event& x, draft& to) const {
  const auto& topic = x.what.topic;
  if (topic == object_ids_reserved::topic) {
    if (auto read = read_event<object_ids_reserved>(x))
      to.mark.ids_below = std::max(to.mark.ids_below, read->below);
    return {};
  }
  if (topic == object_tasks_purged::topic) {
    auto read = read_event<object_tasks_purged>(x);
    return read ? apply_purge(*read, to) : caf::error{};
  }
  if (topic == ledger_opened::topic) {
    if (auto read = read_event<ledger_opened>(x))
      to.mark.epoch = std::max(to.mark.epoch, read->epoch);
    return {};
  }
  if (x.epoch < to.mark.epoch)
    return {}; // a ledger that was no longer the one
  auto at = x.what.time;
  if (topic == object_created::topic) {
    auto read = read_event<object_created>(x);
    if (!read)
      return {};
    auto object = open_object(read->what.id, to);
    if (!object)
      return std::move(object.error());
    fold(**object, *read, at);
    return {};
  }
  if (topic == job_queued::topic) {
    auto read = read_event<job_queued>(x);
    return read && read->what.kind == process_kind ? apply_task(*read, read->what.subject, at, to)
                                                   : caf::error{};
  }
  auto of_process = [&]<class T>(const T*) {
    auto read = read_event<T>(x);
    return read && read->kind == process_kind ? apply_task(*read, read->subject, at, to)
                                              : caf::error{};
  };
  if (topic == run_started::topic)
    return of_process(static_cast<const run_started*>(nullptr));
  if (topic == run_finished::topic)
    return of_process(static_cast<const run_finished*>(nullptr));
  if (topic == job_requeued::topic)
    return of_process(static_cast<const job_requeued*>(nullptr));
  if (topic == job_closed::topic)
    return of_process(static_cast<const job_closed*>(nullptr));
  return {};
}

template <class T>
caf::error object_table::apply_task(const T& x, const std::string& subject, caf::timestamp at,
                                    draft& to) const {
  auto about = parse_task_subject(subject);
  if (!about)
    return {};
  auto object = open_object(about->object, to);
  if (!object)
    return std::move(object.error());
  to.note(fold(**object, x, at), about->object);
  if constexpr (std::is_same_v<T, job_queued>)
    if (!about->task.empty())
      to.changes.emplace_back(word_key(about->task), bytes_of(x.job));
  return {};
}

caf::error object_table::apply_purge(const object_tasks_purged& x, draft& to) const {
  for (const auto& job : x.jobs) {
    auto where = object_of_dead(job, to);
    if (!where)
      return std::move(where.error());
    if (!*where)
      continue;
    auto object = open_object(**where, to);
    if (!object)
      return std::move(object.error());
    to.note(purge(**object, job), **where);
  }
  return {};
}

caf::expected<std::optional<uint64_t>> object_table::object_of_dead(const job_id& job,
                                                                    const draft& to) const {
  if (auto i = to.dead.find(job); i != to.dead.end())
    return i->second;
  auto got = table_->get(dead_key(job));
  if (!got)
    return std::move(got.error());
  return *got ? std::optional{number_of(**got)} : std::nullopt;
}

caf::expected<object_view*> object_table::open_object(uint64_t id, draft& to) const {
  if (auto i = to.objects.find(id); i != to.objects.end())
    return &i->second;
  auto got = table_->get(object_key(id));
  if (!got)
    return std::move(got.error());
  auto object = object_view{};
  if (*got) {
    auto read = decode<object_view>(**got);
    if (!read)
      return std::move(read.error());
    object = std::move(*read);
  } else {
    object.id = id;
    ++to.mark.objects;
  }
  return &to.objects.emplace(id, std::move(object)).first->second;
}

} // namespace troupe
