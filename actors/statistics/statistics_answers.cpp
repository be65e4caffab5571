#include "actors/statistics/statistics_fold.hpp"

#include <algorithm>
#include <charconv>

/// What the statistics keep and answer; how events are counted is in `statistics_fold.cpp`.
namespace troupe {

namespace {

constexpr auto stored_mark = "m";
constexpr auto pipeline_kind = std::string_view{"process"};
constexpr auto most_packages = uint32_t{4096};

/// Steps of the histograms, in seconds.
constexpr auto histogram_steps =
  std::array{0.001, 0.005, 0.025, 0.1,  0.5,  1.0,   2.5,    5.0,    10.0,
             30.0,  60.0,  120.,  300., 600., 1800., 3600.0, 7200.0, 86400.0};

std::vector<std::string> bytes_of_rates(const kind_rates& x) {
  return {x.distributed.bytes(), x.started.bytes(), x.processed.bytes(), x.failed.bytes()};
}

caf::expected<kind_rates> load_rates(const std::vector<std::string>& from) {
  auto out = kind_rates{};
  auto to = std::array{&out.distributed, &out.started, &out.processed, &out.failed};
  for (auto i = size_t{0}; i < std::min(to.size(), from.size()); ++i) {
    auto ring = rate_ring::load(from[i]);
    if (!ring)
      return std::move(ring.error());
    *to[i] = *ring;
  }
  return out;
}

std::map<std::string, work_report> reports_of(const group_table& from, size_t most) {
  auto out = std::map<std::string, work_report>{};
  from.visit([&](std::string_view name, const tally& x) {
    if (out.size() < most || name == "other")
      out.emplace(name, x.report());
    return true;
  });
  return out;
}

std::vector<duration_step> steps_of(const duration_sketch& from) {
  auto out = std::vector<duration_step>{};
  for (auto step : histogram_steps)
    out.push_back({step, from.at_most(static_cast<uint64_t>(step * 1e6))});
  return out;
}

object_progress progress_of(uint64_t id, const counted_object& from) {
  auto out = object_progress{};
  out.id = id;
  out.created_at = from.created_at;
  out.tasks_total = std::max(from.tasks_total, from.tasks_made);
  out.tasks_done = from.tasks_done;
  out.tasks_dead = from.tasks_dead;
  out.completed_at = from.completed_at;
  if (from.completed_at > from.created_at && from.created_at != caf::timestamp{})
    out.wall_s = std::chrono::duration<double>(from.completed_at - from.created_at).count();
  return out;
}

} // namespace

caf::error statistics_fold::open() {
  auto got = table_->get(stored_mark);
  if (!got)
    return std::move(got.error());
  auto mark = *got ? decode<statistics_mark>(**got) : statistics_mark{};
  if (!mark)
    return std::move(mark.error());
  mark_ = std::move(*mark);
  auto wall = duration_sketch::load(mark_.wall);
  auto generated = rate_ring::load(mark_.generated_rate);
  if (!wall || !generated)
    return fault(ec::corrupt, "malformed statistics");
  wall_ = std::move(*wall);
  generated_rate_ = *generated;
  rates_.clear();
  for (const auto& [kind, rings] : mark_.rates) {
    auto rates = load_rates(rings);
    if (!rates)
      return std::move(rates.error());
    rates_.emplace(kind, *rates);
  }
  kinds_ = {"gk", limits_.kinds};
  queues_ = {"gq", limits_.queues};
  runners_ = {"gr", limits_.runners};
  processors_ = {"gx", limits_.runners};
  packages_ = {"gp", limits_.packages};
  for (auto* groups : {&kinds_, &queues_, &runners_, &processors_, &packages_})
    if (auto why = groups->load(*table_))
      return why;
  targets_.open(mark_.targets_closed, mark_.targets_erased);
  objects_.open(mark_.objects_known, mark_.objects_erased);
  return {};
}

caf::error statistics_fold::save() {
  auto changes = table_changes{};
  if (auto why = targets_.save(changes))
    return why;
  if (auto why = objects_.save(changes))
    return why;
  for (auto* groups : {&kinds_, &queues_, &runners_, &processors_, &packages_})
    groups->save(changes);
  mark_.targets_closed = targets_.last();
  mark_.targets_erased = targets_.erased();
  mark_.objects_known = objects_.last();
  mark_.objects_erased = objects_.erased();
  mark_.wall = wall_.bytes();
  mark_.generated_rate = generated_rate_.bytes();
  mark_.rates.clear();
  for (const auto& [kind, rates] : rates_)
    mark_.rates.emplace(kind, bytes_of_rates(rates));
  changes.emplace_back(stored_mark, encode(mark_));
  return table_->write(changes);
}

caf::error statistics_fold::keep_mark() {
  return table_->write({{stored_mark, encode(mark_)}});
}

statistics_report statistics_fold::report(const get_statistics& query, caf::timestamp now) const {
  auto out = statistics_report{};
  out.generated = mark_.generated;
  if (const auto* tasks = kinds_.find(pipeline_kind)) {
    out.distributed = tasks->distributed;
    out.started = tasks->started;
    out.processed = tasks->processed;
    out.in_progress = tasks->running;
    out.failed = tasks->failed;
    out.retried = tasks->retried;
    out.dead = tasks->dead;
    out.canceled = tasks->canceled;
    out.spend = tasks->spend.summary();
  }
  out.objects.completed = mark_.completed;
  out.objects.open = mark_.open;
  out.objects.wall = wall_.summary();
  out.objects.wall_avg_s = out.objects.wall.avg_s;
  out.generated_rate = generated_rate_.rate(now);
  processors_.visit([&](std::string_view name, const tally& x) {
    out.processors.emplace(name,
                           processor_report{x.processed, x.failed,
                                            static_cast<double>(x.spend.sum()) / 1e6, x.last_seen});
    return true;
  });
  out.kinds = reports_of(kinds_, SIZE_MAX);
  for (const auto& [kind, x] : rates_)
    out.rates.emplace(kind, work_rates{x.distributed.rate(now), x.started.rate(now),
                                       x.processed.rate(now), x.failed.rate(now)});
  out.queues = reports_of(queues_, SIZE_MAX);
  out.runners = reports_of(runners_, SIZE_MAX);
  out.packages = reports_of(packages_, std::min(query.packages, most_packages));
  out.repeated = mark_.repeated;
  out.sequence = mark_.sequence;
  out.since = mark_.since;
  return out;
}

caf::expected<object_progress> statistics_fold::find(uint64_t object) const {
  auto row = objects_.find(object);
  if (!row)
    return std::move(row.error());
  if (!*row || (*row)->ordinal == 0)
    return fault(ec::not_found, "there is no object " + std::to_string(object));
  return progress_of(object, **row);
}

caf::expected<object_progress_page> statistics_fold::list(const list_object_progress& query) const {
  auto from = std::string{"o"};
  if (!query.cursor.empty()) {
    auto after = uint64_t{0};
    auto end = query.cursor.data() + query.cursor.size();
    auto [at, wrong] = std::from_chars(query.cursor.data(), end, after);
    if (wrong != std::errc{} || at != end)
      return fault_at(ec::invalid_argument, "cursor", "is not from a page of objects");
    from += number_key(after) + '\0';
  }
  auto out = object_progress_page{};
  auto why = caf::error{};
  auto limit = std::clamp(query.limit, uint32_t{1}, uint32_t{1000});
  auto see = [&](std::string_view key, std::string_view value) {
    if (out.objects.size() == limit) {
      out.next = std::to_string(out.objects.back().id);
      return false;
    }
    auto row = decode<counted_object>(value);
    if (!row) {
      why = std::move(row.error());
      return false;
    }
    out.objects.push_back(progress_of(key_number(key.substr(1)).value_or(0), *row));
    return true;
  };
  if (auto broken = table_->scan({from, "p", false}, see))
    return broken;
  if (why)
    return why;
  return out;
}

statistics_counters statistics_fold::counters() const {
  auto out = statistics_counters{};
  out.sequence = mark_.sequence;
  out.newest = mark_.newest;
  out.events = mark_.events;
  kinds_.visit([&](std::string_view name, const tally& x) {
    out.kinds.emplace(name, kind_counters{x.report(), steps_of(x.spend), steps_of(x.wait)});
    return true;
  });
  out.queues = reports_of(queues_, SIZE_MAX);
  out.generated = mark_.generated;
  out.objects_open = mark_.open;
  out.objects_completed = mark_.completed;
  out.repeated = mark_.repeated;
  return out;
}

} // namespace troupe
