#include "actors/objects/objects_core.hpp"
#include "messages/time.hpp"

#include <algorithm>

/// What outside processors say, and the dead.
namespace troupe {

namespace {

constexpr auto most_changed = size_t{1000};

outside_word word_of(task_report_type x) {
  switch (x) {
    case task_report_type::end: return outside_word::end;
    case task_report_type::fail: return outside_word::fail;
    default: return outside_word::start;
  }
}

/// Whether an id was made by this system: those of outside distributors are random (version 4).
bool is_own(const job_id& id) {
  return id.bytes[6] >> 4 == 7;
}

} // namespace

/// Returns the job of a task as on the wire, nothing if there is none.
caf::expected<std::optional<job_id>> objects_core::job_of_task(const std::string& task) const {
  if (auto id = parse_task_id(task); id && is_own(*id))
    return id;
  return table_.job_of(task);
}

caf::result<report_answer> objects_core::report(task_report what) {
  if (auto why = closed())
    return why;
  if (auto id = parse_task_id(what.task); id && is_own(*id)) {
    auto reply = self_->make_response_promise<report_answer>();
    pass_on(what, *id, reply);
    return reply;
  }
  return pump_.ask<report_answer>([this, what = std::move(what)](auto reply) {
    auto job = table_.job_of(what.task);
    if (!job)
      reply.deliver(std::move(job.error()));
    else if (!*job)
      reply.deliver(report_answer{report_outcome::unknown});
    else
      pass_on(what, **job, reply);
  });
}

void objects_core::pass_on(const task_report& what, const job_id& job,
                           promise<report_answer> reply) {
  auto ledger = role<job_ledger_actor>("jobs");
  if (!ledger) {
    reply.deliver(fault(ec::unavailable, "there is no job ledger"));
    return;
  }
  auto message = outside_report{job,        what.processor, word_of(what.type), what.attempt,
                                what.spend, what.error,     what.data};
  began();
  self_->request(ledger, options_.request_timeout, std::move(message))
    .then(
      [this, reply](report_answer got) mutable {
        ended();
        // The ledger forgets what has ended; this task is known, so it was there.
        if (got.outcome == report_outcome::unknown)
          got.outcome = report_outcome::late;
        reply.deliver(got);
      },
      [this, reply](const caf::error& why) mutable {
        ended();
        reply.deliver(why);
      });
}

caf::result<dead_task_page> objects_core::list_dead(const list_dead_tasks& what) {
  return pump_.ask<dead_task_page>([this, what](auto reply) {
    if (auto got = table_.dead(what))
      reply.deliver(std::move(*got));
    else
      reply.deliver(std::move(got.error()));
  });
}

/// Returns those of the tasks that are dead; of none given, the oldest dead ones.
caf::expected<std::vector<job_id>>
objects_core::dead_among(const std::vector<std::string>& tasks) const {
  auto out = std::vector<job_id>{};
  if (tasks.empty()) {
    auto page = table_.dead({{}, static_cast<uint32_t>(most_changed)});
    if (!page)
      return std::move(page.error());
    for (const auto& task : page->tasks)
      out.push_back(task.job);
    return out;
  }
  for (const auto& task : tasks) {
    auto job = job_of_task(task);
    if (!job)
      return std::move(job.error());
    if (!*job || std::find(out.begin(), out.end(), **job) != out.end())
      continue;
    auto dead = table_.is_dead(**job);
    if (!dead)
      return std::move(dead.error());
    if (*dead)
      out.push_back(**job);
  }
  return out;
}

/// The answers of the ledger to one request, one by one.
struct objects_core::retrial {
  size_t left = 0;
  changed_tasks done;
  caf::error why;
  promise<changed_tasks> reply;
};

caf::result<changed_tasks> objects_core::retry(retry_dead_tasks what) {
  if (auto why = closed())
    return why;
  if (what.tasks.size() > most_changed)
    return fault_at(ec::too_large, "tasks", "must be at most 1000");
  return pump_.ask<changed_tasks>([this, what = std::move(what)](auto reply) {
    auto jobs = dead_among(what.tasks);
    auto ledger = role<job_ledger_actor>("jobs");
    if (!jobs || !ledger) {
      reply.deliver(jobs ? fault(ec::unavailable, "there is no job ledger") : jobs.error());
      return;
    }
    if (jobs->empty()) {
      reply.deliver(changed_tasks{});
      return;
    }
    auto all = std::make_shared<retrial>();
    all->left = jobs->size();
    all->reply = reply;
    auto settled = [all] {
      if (--all->left > 0)
        return;
      // What was done is said, unless nothing was.
      if (all->why && all->done.tasks.empty())
        all->reply.deliver(all->why);
      else
        all->reply.deliver(std::move(all->done));
    };
    for (const auto& job : *jobs) {
      // Two who retry the same task get the same new one.
      auto order = retry_job{job, what.by, "objects:retry:" + to_task_id(job), 1};
      began();
      self_->request(ledger, options_.request_timeout, std::move(order))
        .then(
          [this, all, job, settled](const job_accepted& got) {
            ended();
            all->done.tasks.push_back(to_task_id(job));
            all->done.now.push_back(to_task_id(got.job));
            settled();
          },
          [this, all, settled](const caf::error& why) {
            ended();
            all->why = why;
            settled();
          });
    }
  });
}

caf::result<changed_tasks> objects_core::purge(purge_dead_tasks what) {
  if (auto why = closed())
    return why;
  if (what.tasks.size() > most_changed)
    return fault_at(ec::too_large, "tasks", "must be at most 1000");
  return pump_.ask<changed_tasks>([this, what = std::move(what)](auto reply) {
    auto jobs = dead_among(what.tasks);
    if (!jobs)
      reply.deliver(std::move(jobs.error()));
    else if (jobs->empty())
      reply.deliver(changed_tasks{});
    else
      append_purge(std::move(*jobs), what.by, reply);
  });
}

void objects_core::append_purge(std::vector<job_id> jobs, std::string by,
                                promise<changed_tasks> reply) {
  auto journal = role<journal_actor>("journal");
  if (!journal) {
    reply.deliver(fault(ec::unavailable, "there is no journal"));
    return;
  }
  auto done = changed_tasks{};
  for (const auto& job : jobs)
    done.tasks.push_back(to_task_id(job));
  auto message = append_events{"objects", epoch_, {}};
  message.groups.emplace_back().events.push_back(
    make_event(object_tasks_purged{std::move(jobs), std::move(by)}, troupe::now()));
  began();
  self_->request(journal, options_.request_timeout, std::move(message))
    .then(
      [this, reply, done](const append_results&) mutable {
        ended();
        reply.deliver(std::move(done));
      },
      [this, reply](const caf::error& why) mutable {
        ended();
        reply.deliver(why);
      });
}

} // namespace troupe
