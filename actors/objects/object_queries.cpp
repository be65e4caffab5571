#include "actors/objects/object_keys.hpp"
#include "actors/objects/object_table.hpp"

#include <algorithm>

/// What is asked of the objects, and what is forgotten.
namespace troupe {

using namespace object_keys;

namespace {

constexpr auto most_listed = uint32_t{1000};
constexpr auto most_page_bytes = size_t{4} << 20;

} // namespace

caf::expected<object_view> object_table::find(uint64_t id) const {
  auto got = table_->get(object_key(id));
  if (!got)
    return std::move(got.error());
  if (!*got)
    return fault_at(ec::not_found, "object_id", "there is no object " + std::to_string(id));
  return decode<object_view>(**got);
}

caf::expected<bool> object_table::has(uint64_t id) const {
  auto got = table_->get(object_key(id));
  if (!got)
    return std::move(got.error());
  return got->has_value();
}

caf::expected<object_page> object_table::list(const list_objects& query) const {
  auto out = object_page{};
  auto limit = std::clamp(query.limit, uint32_t{1}, most_listed);
  auto bytes = size_t{0};
  auto why = caf::error{};
  auto range = key_range{object_key(0), object_key(query.below), true};
  auto visit = [&](std::string_view, std::string_view value) {
    if (out.objects.size() >= limit || bytes > most_page_bytes) {
      out.next = out.objects.back().id;
      return false;
    }
    bytes += value.size();
    auto read = decode<object_view>(value);
    if (!read) {
      why = std::move(read.error());
      return false;
    }
    read->tasks.clear();
    out.objects.push_back(std::move(*read));
    return true;
  };
  if (auto broken = table_->scan(range, visit))
    return broken;
  if (why)
    return why;
  return out;
}

caf::expected<dead_task_page> object_table::dead(const list_dead_tasks& query) const {
  auto after = query.after.empty() ? std::optional{job_id{}} : parse_task_id(query.after);
  if (!after)
    return fault_at(ec::invalid_argument, "after", "is not the `next` of a page");
  auto limit = std::clamp(query.limit, uint32_t{1}, most_listed);
  auto out = dead_task_page{};
  auto found = std::vector<std::pair<job_id, uint64_t>>{};
  if (auto why = table_->scan({dead_key(*after) + '\0', dead_end, false},
                              [&](std::string_view key, std::string_view value) {
                                found.emplace_back(object_keys::job_of(key.substr(1)),
                                                   number_of(value));
                                return found.size() <= limit;
                              }))
    return why;
  if (found.size() > limit) {
    found.resize(limit);
    out.next = to_task_id(found.back().first);
  }
  for (const auto& [job, id] : found) {
    auto object = find(id);
    if (!object)
      return std::move(object.error());
    for (auto& task : object->tasks)
      if (task.job == job)
        out.tasks.push_back(std::move(task));
  }
  return out;
}

caf::expected<std::optional<job_id>> object_table::job_of(std::string_view task) const {
  auto got = table_->get(word_key(task));
  if (!got)
    return std::move(got.error());
  return *got ? std::optional{object_keys::job_of(**got)} : std::nullopt;
}

caf::expected<bool> object_table::is_dead(const job_id& job) const {
  auto got = table_->get(dead_key(job));
  if (!got)
    return std::move(got.error());
  return got->has_value();
}

caf::expected<bool> object_table::retire(caf::timestamp before, uint64_t keep, size_t most) {
  auto over = mark_.objects > keep ? mark_.objects - keep : 0;
  auto changes = table_changes{};
  auto left = mark_;
  auto looked = size_t{0};
  auto at = retired_;
  auto why = caf::error{};
  auto visit = [&](std::string_view key, std::string_view value) {
    if (looked++ == most)
      return false;
    auto object = decode<object_view>(value);
    if (!object) {
      why = std::move(object.error());
      return false;
    }
    at = object->id + 1;
    if (object->state == object_state::open || (over == 0 && object->created_at >= before))
      return true;
    over -= over > 0 ? 1 : 0;
    --left.objects;
    changes.emplace_back(std::string{key}, std::nullopt);
    for (const auto& task : object->tasks) {
      if (task.state == task_state::dead)
        changes.emplace_back(dead_key(task.job), std::nullopt);
      if (task.id != to_task_id(task.job))
        changes.emplace_back(word_key(task.id), std::nullopt);
    }
    return true;
  };
  if (auto broken = table_->scan({object_key(retired_), objects_end, false}, visit))
    return broken;
  if (why)
    return why;
  if (!changes.empty()) {
    changes.emplace_back(mark_key, encode(left));
    if (auto broken = table_->write(changes))
      return broken;
  }
  mark_ = left;
  auto more = looked > most;
  retired_ = more ? at : 0;
  return more;
}

} // namespace troupe
