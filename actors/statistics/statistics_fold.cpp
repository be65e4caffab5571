#include "actors/statistics/statistics_fold.hpp"

#include "config/log.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <optional>

/// How events are counted; what is answered is in `statistics_answers.cpp`.
namespace troupe {

namespace {

constexpr auto task_kind = std::string_view{"process"};
constexpr auto test_kind = std::string_view{"test"};

/// The beginning of a `submit_job`: what follows is skipped, which is fast.
struct submit_beginning {
  std::string kind;
  std::string queue;
  int32_t priority = 0;
  std::vector<std::string> capabilities;
  std::string subject;

  static constexpr auto type_name = submit_job::type_name;
  static constexpr auto fields = std::tuple{
    field{"kind", &submit_beginning::kind},
    field{"queue", &submit_beginning::queue},
    field{"priority", &submit_beginning::priority},
    field{"capabilities", &submit_beginning::capabilities},
    field{"subject", &submit_beginning::subject},
  };
};

struct queued_beginning {
  job_id job;
  submit_beginning what;

  static constexpr auto type_name = job_queued::type_name;
  static constexpr auto fields = std::tuple{
    field{"job_id", &queued_beginning::job},
    field{"job", &queued_beginning::what},
  };
};

struct object_beginning {
  uint64_t id = 0;

  static constexpr auto type_name = "troupe::object";
  static constexpr auto fields = std::tuple{field{"id", &object_beginning::id}};
};

struct created_beginning {
  static constexpr auto topic = std::string_view{"object.created"};
  object_beginning what;
  uint32_t tasks = 0;

  static constexpr auto type_name = "troupe::object_created";
  static constexpr auto fields = std::tuple{
    field{"object", &created_beginning::what},
    field{"tasks", &created_beginning::tasks},
  };
};

std::string bytes_of_job(const job_id& x) {
  return {reinterpret_cast<const char*>(x.bytes.data()), x.bytes.size()};
}

job_id job_of_bytes(std::string_view bytes) {
  auto out = job_id{};
  std::memcpy(out.bytes.data(), bytes.data(), std::min(bytes.size(), out.bytes.size()));
  return out;
}

std::string bytes_of_object(const uint64_t& x) {
  return number_key(x);
}

uint64_t object_of_bytes(std::string_view bytes) {
  return key_number(bytes).value_or(0);
}

/// Whether ids of this form grow with time. Source: RFC 9562 5.7.
bool grows(const job_id& x) {
  return x.bytes[6] >> 4 == 7;
}

/// Returns the object of a task: "OBJECT" or "OBJECT/TASK".
std::optional<uint64_t> object_of_subject(std::string_view subject) {
  auto id = uint64_t{0};
  auto number = subject.substr(0, subject.find('/'));
  auto [end, fault] = std::from_chars(number.data(), number.data() + number.size(), id);
  if (fault != std::errc{} || end != number.data() + number.size())
    return std::nullopt;
  return id;
}

/// A failed test is a verdict on the package; a task that fails has not been processed.
bool is_good(std::string_view kind, verdict result) {
  return result == verdict::pass || result == verdict::neutral
         || (result == verdict::fail && kind != task_kind);
}

} // namespace

statistics_fold::statistics_fold(std::shared_ptr<projection_table> table, statistics_limits limits)
  : table_{std::move(table)}, limits_{limits}, kinds_{"gk", limits.kinds},
    queues_{"gq", limits.queues}, runners_{"gr", limits.runners}, processors_{"gx", limits.runners},
    packages_{"gp", limits.packages}, targets_{'t',
                                               'c',
                                               bytes_of_job,
                                               job_of_bytes,
                                               &counted_target::closed,
                                               limits.closed_targets,
                                               [](const counted_target&) {}},
    objects_{'o',
             'n',
             bytes_of_object,
             object_of_bytes,
             &counted_object::ordinal,
             limits.objects,
             [this](const counted_object& x) { mark_.open -= x.complete() ? 0 : 1; }} {
  targets_.use(table_);
  objects_.use(table_);
}

caf::error statistics_fold::apply(const event_batch& batch) {
  for (const auto& x : batch.events)
    if (x.sequence > mark_.sequence)
      if (auto why = fold(x))
        return why;
  mark_.sequence = std::max(mark_.sequence, batch.next - 1);
  if (batch.events.empty())
    return {};
  auto why = save();
  // What is in memory has been counted but is nowhere else: begin again from what is.
  if (explain(why).code == ec::disk_full)
    if (auto broken = open())
      return broken;
  return why;
}

void statistics_fold::skip_to(uint64_t sequence) {
  mark_.sequence = std::max(mark_.sequence, sequence - 1);
}

caf::error statistics_fold::fold(const stored_event& x) {
  mark_.sequence = x.sequence;
  if (mark_.since == caf::timestamp{})
    mark_.since = x.arrived;
  mark_.newest = std::max(mark_.newest, x.arrived);
  auto i = mark_.events.find(x.what.topic);
  if (i != mark_.events.end())
    ++i->second;
  else
    ++mark_.events[mark_.events.size() < limits_.topics ? x.what.topic : "other"];
  if (x.what.topic.starts_with("job."))
    return job_event(x);
  if (x.what.topic == created_beginning::topic)
    return object_event(x);
  return {};
}

caf::error statistics_fold::job_event(const stored_event& x) {
  auto unreadable = [&](const caf::error& why) {
    ++mark_.unreadable;
    log(log_level::error, "statistics", "event cannot be read",
        {{"sequence", x.sequence}, {"topic", x.what.topic}, {"why", one_line(why)}});
    return caf::error{};
  };
  auto read = [&]<class T>(const T*, auto then) -> caf::error {
    if (auto got = unpack<T>(x.what.payload))
      return then(*got);
    else
      return unreadable(got.error());
  };
  if (x.what.topic == ledger_opened::topic)
    return read(static_cast<const ledger_opened*>(nullptr), [&](const ledger_opened& y) {
      mark_.epoch = std::max(mark_.epoch, y.epoch);
      return caf::error{};
    });
  if (x.epoch < mark_.epoch)
    return {};
  if (x.what.topic == job_queued::topic)
    return read(static_cast<const queued_beginning*>(nullptr), [&](const queued_beginning& y) {
      return queued(y.job, {y.what.kind, y.what.queue, y.what.subject}, x);
    });
  if (x.what.topic == run_started::topic)
    return read(static_cast<const run_started*>(nullptr),
                [&](const run_started& y) { return started(y, x); });
  if (x.what.topic == run_finished::topic)
    return read(static_cast<const run_finished*>(nullptr),
                [&](const run_finished& y) { return finished(y, x); });
  if (x.what.topic == job_closed::topic)
    return read(static_cast<const job_closed*>(nullptr),
                [&](const job_closed& y) { return closed(y, x); });
  return {};
}

caf::expected<counted_target*> statistics_fold::target(const job_id& job, const about& what) {
  auto fresh = grows(job) && job > mark_.newest_target;
  auto out = targets_.change(job, fresh);
  if (!out)
    return out;
  if (fresh)
    mark_.newest_target = job;
  auto& it = **out;
  // Events of older nodes do not say it; the one that queued the job did.
  if (!what.kind.empty() || it.kind.empty()) {
    it.kind = what.kind;
    it.queue = what.queue;
    it.subject = what.subject;
  }
  return out;
}

template <class F>
void statistics_fold::count(const counted_target& it, std::string_view runner,
                            const stored_event& x, F change) {
  auto at = [&](group_table& groups, std::string_view name) {
    auto& group = groups.at(name, x.sequence);
    group.last_seen = std::max(group.last_seen, x.what.time);
    change(group);
  };
  at(kinds_, it.kind);
  at(queues_, it.queue);
  if (!runner.empty())
    at(runners_, runner);
  if (!runner.empty() && it.kind == task_kind)
    at(processors_, runner);
  if (it.kind == test_kind)
    at(packages_, it.subject);
}

kind_rates& statistics_fold::rates_of(const counted_target& it) {
  auto i = rates_.find(it.kind);
  if (i == rates_.end()) {
    if (rates_.size() >= limits_.kinds)
      std::erase_if(rates_, [&](const auto& y) { return kinds_.find(y.first) == nullptr; });
    i = rates_.emplace(it.kind, kind_rates{}).first;
  }
  return i->second;
}

void statistics_fold::set_waiting(counted_target& it, bool on, const stored_event& x) {
  if (std::exchange(it.waiting, on) == on)
    return;
  if (on)
    return count(it, {}, x, [](tally& y) { ++y.waiting; });
  kinds_.take_back(it.kind, &tally::waiting);
  queues_.take_back(it.queue, &tally::waiting);
  if (it.kind == test_kind)
    packages_.take_back(it.subject, &tally::waiting);
}

void statistics_fold::set_running(counted_target& it, bool on, const stored_event& x) {
  if (std::exchange(it.running, on) == on)
    return;
  if (on)
    return count(it, it.runner, x, [](tally& y) { ++y.running; });
  kinds_.take_back(it.kind, &tally::running);
  queues_.take_back(it.queue, &tally::running);
  if (!it.runner.empty())
    runners_.take_back(it.runner, &tally::running);
  if (!it.runner.empty() && it.kind == task_kind)
    processors_.take_back(it.runner, &tally::running);
  if (it.kind == test_kind)
    packages_.take_back(it.subject, &tally::running);
}

caf::error statistics_fold::queued(const job_id& job, const about& what, const stored_event& x) {
  auto found = target(job, what);
  if (!found)
    return std::move(found.error());
  auto& it = **found;
  if (std::exchange(it.queued, true)) {
    repeat();
    return {};
  }
  count(it, {}, x, [](tally& y) { ++y.distributed; });
  rates_of(it).distributed.add(x.arrived);
  if (it.kind == task_kind)
    if (auto why = task_queued(it, x))
      return why;
  if (it.closed == 0 && it.started.empty()) {
    it.ready_at = x.what.time;
    set_waiting(it, true, x);
  }
  return {};
}

caf::error statistics_fold::started(const run_started& what, const stored_event& x) {
  auto found = target(what.job, {what.kind, what.queue, what.subject});
  if (!found)
    return std::move(found.error());
  auto& it = **found;
  if (!it.started.insert(what.run_id)) {
    repeat();
    return {};
  }
  auto since = what.queued_at != caf::timestamp{} ? what.queued_at : it.ready_at;
  count(it, what.runner, x, [&](tally& y) {
    ++y.started;
    if (since != caf::timestamp{})
      y.wait.add(x.what.time - since);
  });
  rates_of(it).started.add(x.arrived);
  if (it.closed > 0 || it.ended.contains(what.run_id))
    return {};
  set_waiting(it, false, x);
  set_running(it, false, x);
  it.run = what.run_id;
  it.runner = what.runner;
  it.started_at = x.what.time;
  set_running(it, true, x);
  return {};
}

caf::error statistics_fold::finished(const run_finished& what, const stored_event& x) {
  auto found = target(what.job, {what.kind, what.queue, what.subject});
  if (!found)
    return std::move(found.error());
  auto& it = **found;
  if (!it.ended.insert(what.run_id)) {
    repeat();
    return {};
  }
  auto ran = it.running && it.run == what.run_id;
  auto runner = what.runner.empty() && ran ? it.runner : what.runner;
  auto since = what.started_at == caf::timestamp{} && ran ? it.started_at : what.started_at;
  if (ran)
    set_running(it, false, x);
  auto failed = !is_good(it.kind, what.result) && what.result != verdict::canceled;
  count(it, runner, x, [&](tally& y) {
    y.failed += failed ? 1 : 0;
    y.retried += what.final ? 0 : 1;
    ++y.reasons[std::min(static_cast<size_t>(what.why), y.reasons.size() - 1)];
    if (since != caf::timestamp{})
      y.spend.add(x.what.time - since);
  });
  if (failed)
    rates_of(it).failed.add(x.arrived);
  if (what.final)
    return close(what.job, it, what.result, runner, x);
  if (it.closed == 0 && !it.running) {
    it.ready_at = std::max(what.retry_at, x.what.time);
    set_waiting(it, true, x);
  }
  return {};
}

caf::error statistics_fold::closed(const job_closed& what, const stored_event& x) {
  auto found = target(what.job, {what.kind, what.queue, what.subject});
  if (!found)
    return std::move(found.error());
  if ((*found)->closed > 0) {
    repeat();
    return {};
  }
  return close(what.job, **found, what.result, {}, x);
}

caf::error statistics_fold::close(const job_id& job, counted_target& it, verdict result,
                                  std::string_view runner, const stored_event& x) {
  if (it.closed > 0)
    return {};
  set_waiting(it, false, x);
  set_running(it, false, x);
  auto good = is_good(it.kind, result);
  count(it, runner, x, [&](tally& y) {
    ++y.results[std::min(static_cast<size_t>(result), y.results.size() - 1)];
    ++(good ? y.processed : result == verdict::canceled ? y.canceled : y.dead);
  });
  if (good)
    rates_of(it).processed.add(x.arrived);
  targets_.number(job, it);
  auto why = it.kind == task_kind ? task_closed(it, good, x) : caf::error{};
  // Later events of it, if any, say themselves what they are about.
  auto rest = counted_target{};
  rest.queued = it.queued;
  rest.started = it.started;
  rest.ended = it.ended;
  rest.closed = it.closed;
  it = std::move(rest);
  return why;
}

caf::error statistics_fold::object_event(const stored_event& x) {
  auto got = unpack<created_beginning>(x.what.payload);
  if (!got) {
    ++mark_.unreadable;
    return {};
  }
  auto found = object(got->what.id);
  if (!found)
    return std::move(found.error());
  auto& it = **found;
  if (it.created_at != caf::timestamp{}) {
    repeat();
    return {};
  }
  ++mark_.generated;
  generated_rate_.add(x.arrived);
  auto was = it.complete();
  it.created_at = x.what.time;
  it.tasks_made = got->tasks;
  settle(it, was, x.what.time);
  return {};
}

caf::expected<counted_object*> statistics_fold::object(uint64_t id) {
  auto fresh = mark_.objects_known == 0 || id > mark_.newest_object;
  auto out = objects_.change(id, fresh);
  if (!out || (*out)->ordinal > 0)
    return out;
  mark_.newest_object = std::max(mark_.newest_object, id);
  objects_.number(id, **out);
  mark_.objects_known = objects_.last();
  ++mark_.open;
  return out;
}

caf::error statistics_fold::task_queued(const counted_target& it, const stored_event& x) {
  auto id = object_of_subject(it.subject);
  if (!id)
    return {};
  auto found = object(*id);
  if (!found)
    return std::move(found.error());
  auto was = (*found)->complete();
  ++(*found)->tasks_total;
  settle(**found, was, x.what.time);
  return {};
}

caf::error statistics_fold::task_closed(const counted_target& it, bool done,
                                        const stored_event& x) {
  auto id = object_of_subject(it.subject);
  if (!id)
    return {};
  auto kept = objects_.find(*id);
  if (!kept || !*kept)
    return kept ? caf::error{} : std::move(kept.error());
  auto found = object(*id);
  if (!found)
    return std::move(found.error());
  auto was = (*found)->complete();
  ++(done ? (*found)->tasks_done : (*found)->tasks_dead);
  settle(**found, was, x.what.time);
  return {};
}

/// Counts an object as complete or open again, and its time once.
void statistics_fold::settle(counted_object& it, bool was_complete, caf::timestamp time) {
  auto is_complete = it.complete();
  if (is_complete == was_complete)
    return;
  mark_.completed += is_complete ? 1 : UINT64_MAX;
  mark_.open += is_complete ? UINT64_MAX : 1;
  it.completed_at = is_complete ? time : caf::timestamp{};
  if (is_complete && it.created_at != caf::timestamp{} && !std::exchange(it.timed, true))
    wall_.add(time - it.created_at);
}

} // namespace troupe
