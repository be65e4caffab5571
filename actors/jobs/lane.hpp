#pragma once

#include "actors/jobs/job_slot.hpp"

#include <array>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace troupe {

struct job_queue;

/// The waiting jobs of one queue that ask for the same capabilities: per
/// priority in order of age. Taking, adding and removing cost nothing that
/// grows with their number, except for jobs that come back after a run.
class lane {
public:
  lane(job_queue& queue, std::vector<std::string> capabilities)
    : queue_{&queue}, capabilities_{std::move(capabilities)} {}

  job_queue& queue() const {
    return *queue_;
  }
  const std::vector<std::string>& capabilities() const {
    return capabilities_;
  }

  /// Puts a job in its place by priority and age.
  void add(job_slot& job);
  /// Takes a job out, wherever it is.
  void remove(job_slot& job);

  /// Returns the job to run next out of those that `allowed` accepts; looks at
  /// no more than `looks` that it does not.
  template <class F>
  job_slot* front(F&& allowed, int looks = 8) const {
    for (auto mask = nonempty_; mask != 0;) {
      auto priority = 31 - __builtin_clz(mask);
      mask &= ~(1U << priority);
      const auto& at = levels_[static_cast<size_t>(priority)];
      auto fresh = at.head;
      auto back = at.returned.begin();
      while (fresh != nullptr || back != at.returned.end()) {
        auto take_back = back != at.returned.end() && (fresh == nullptr || (*back)->id < fresh->id);
        auto* job = take_back ? *back : fresh;
        if (allowed(*job))
          return job;
        if (--looks <= 0)
          return nullptr;
        if (take_back)
          ++back;
        else
          fresh = fresh->next;
      }
    }
    return nullptr;
  }

  size_t users = 0;     ///< Unfinished jobs of this lane, waiting or not.
  bool started = false; ///< A run of one of its jobs began.

private:
  struct older {
    bool operator()(const job_slot* a, const job_slot* b) const {
      return a->id < b->id;
    }
  };
  struct level {
    job_slot* head = nullptr; ///< New jobs come in order of age: a plain list.
    job_slot* tail = nullptr;
    std::set<job_slot*, older> returned;
  };

  job_queue* queue_;
  std::vector<std::string> capabilities_; ///< Sorted, unique.
  std::array<level, 11> levels_;
  uint32_t nonempty_ = 0; ///< Bit per priority.
};

/// One queue and its lanes.
struct job_queue {
  std::string name;
  std::map<std::vector<std::string>, lane> lanes; ///< By capabilities.
  uint64_t queued = 0;
  uint64_t running = 0;
};

} // namespace troupe
