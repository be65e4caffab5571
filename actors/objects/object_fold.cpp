#include "actors/objects/object_fold.hpp"

#include <algorithm>

namespace troupe {

namespace {

bool has_ended(const object_task& x) {
  return x.state == task_state::done || x.state == task_state::dead
         || x.state == task_state::canceled || x.state == task_state::purged;
}

/// Counts anew: there are few tasks, and a counter would have to be right about each way back.
void settle(object_view& object, caf::timestamp at) {
  const auto& tasks = object.tasks;
  object.tasks_total = std::max(object.tasks_total, static_cast<uint32_t>(tasks.size()));
  auto done = std::count_if(tasks.begin(), tasks.end(),
                            [](const auto& x) { return x.state == task_state::done; });
  object.tasks_done = static_cast<uint32_t>(done);
  auto was = object.state;
  if (tasks.size() < object.tasks_total || !std::all_of(tasks.begin(), tasks.end(), has_ended))
    object.state = object_state::open;
  else
    object.state =
      object.tasks_done == object.tasks_total ? object_state::completed : object_state::failed;
  if (object.state != object_state::completed)
    object.completed_at = {};
  else if (was != object_state::completed)
    object.completed_at = at;
}

/// Ends a task without success.
task_change give_up(object_view& object, object_task& task, verdict result, std::string note,
                    caf::timestamp at) {
  task.finished_at = at;
  task.retry_at = {};
  task.state = result == verdict::canceled ? task_state::canceled : task_state::dead;
  task.error = std::move(note);
  settle(object, at);
  return {task.state == task_state::dead ? task_change::list::enters : task_change::list::same,
          task.job};
}

std::string words_of(const std::string& note, reason why) {
  return note.empty() ? std::string{name_of(why)} : note;
}

} // namespace

object_task* find_task(object_view& object, const job_id& job) {
  auto i = std::find_if(object.tasks.begin(), object.tasks.end(),
                        [&](const auto& x) { return x.job == job; });
  return i == object.tasks.end() ? nullptr : &*i;
}

task_change fold(object_view& object, const object_created& x, caf::timestamp at) {
  object.id = x.what.id;
  object.name = x.what.name;
  object.content = x.what.content;
  object.tasks_total = std::max(object.tasks_total, x.tasks);
  object.created_at = at;
  object.source = x.source;
  object.owner = x.owner;
  object.given_id = x.given_id;
  settle(object, at);
  return {};
}

task_change fold(object_view& object, const job_queued& x, caf::timestamp at) {
  auto spec = unpack<process_spec>(x.what.spec);
  if (object.created_at == caf::timestamp{}) {
    if (spec) {
      object.name = spec->what.name;
      object.content = spec->what.content;
    }
    object.created_at = at;
    object.source = "task";
  }
  auto out = task_change{};
  auto* task = x.what.retry_of ? find_task(object, *x.what.retry_of) : nullptr;
  if (task != nullptr) {
    if (task->state == task_state::dead)
      out = {task_change::list::leaves, task->job};
  } else {
    task = find_task(object, x.job);
    if (task == nullptr)
      task = &object.tasks.emplace_back();
  }
  *task = {};
  task->id = task_id_of(x.job, x.what.subject);
  task->job = x.job;
  task->object = object.id;
  task->index = spec ? spec->index : 0;
  task->created_at = at;
  settle(object, at);
  return out;
}

task_change fold(object_view& object, const run_started& x, caf::timestamp at) {
  if (auto* task = find_task(object, x.job)) {
    task->state = task_state::running;
    task->attempt = x.run_id + 1;
    task->processor = x.runner;
    task->started_at = at;
    task->retry_at = {};
    settle(object, at);
  }
  return {};
}

task_change fold(object_view& object, const run_finished& x, caf::timestamp at) {
  auto* task = find_task(object, x.job);
  if (task == nullptr)
    return {};
  task->spend = x.spend;
  if (task->spend == caf::timespan{0} && x.started_at != caf::timestamp{})
    task->spend = at - x.started_at;
  if (!x.final) {
    task->state = task_state::waiting;
    task->error = words_of(x.note, x.why);
    task->retry_at = x.retry_at;
    settle(object, at);
    return {};
  }
  if (x.result != verdict::pass)
    return give_up(object, *task, x.result, words_of(x.note, x.why), at);
  task->state = task_state::done;
  task->error.clear();
  task->data = x.data;
  task->finished_at = at;
  settle(object, at);
  return {};
}

task_change fold(object_view& object, const job_requeued& x, caf::timestamp) {
  if (auto* task = find_task(object, x.job)) {
    task->state = task_state::queued;
    task->retry_at = {};
  }
  return {};
}

task_change fold(object_view& object, const job_closed& x, caf::timestamp at) {
  auto* task = find_task(object, x.job);
  return task == nullptr ? task_change{}
                         : give_up(object, *task, x.result, words_of(x.note, x.why), at);
}

task_change purge(object_view& object, const job_id& job) {
  auto* task = find_task(object, job);
  if (task == nullptr || task->state != task_state::dead)
    return {};
  task->state = task_state::purged;
  return {task_change::list::leaves, job};
}

} // namespace troupe
