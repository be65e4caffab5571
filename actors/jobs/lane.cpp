#include "actors/jobs/lane.hpp"

namespace troupe {

void lane::add(job_slot& job) {
  auto& at = levels_[job.priority];
  nonempty_ |= 1U << job.priority;
  if (at.tail != nullptr && job.id < at.tail->id) {
    at.returned.insert(&job);
    job.where = job_slot::place::returned;
    return;
  }
  job.previous = at.tail;
  job.next = nullptr;
  (at.tail != nullptr ? at.tail->next : at.head) = &job;
  at.tail = &job;
  job.where = job_slot::place::fresh;
}

void lane::remove(job_slot& job) {
  auto& at = levels_[job.priority];
  if (job.where == job_slot::place::returned) {
    at.returned.erase(&job);
  } else {
    (job.previous != nullptr ? job.previous->next : at.head) = job.next;
    (job.next != nullptr ? job.next->previous : at.tail) = job.previous;
    job.previous = job.next = nullptr;
  }
  job.where = job_slot::place::none;
  if (at.head == nullptr && at.returned.empty())
    nonempty_ &= ~(1U << job.priority);
}

} // namespace troupe
