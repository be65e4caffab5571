#pragma once

#include "messages/run.hpp"

#include <deque>
#include <functional>
#include <string_view>
#include <unordered_set>

namespace troupe {

/// The latest finished runs, so that a repeated report is accepted again.
class finished_runs {
public:
  explicit finished_runs(size_t most) : most_{most} {}

  void add(const run_key& run, std::string_view runner, std::string_view boot) {
    auto mark = mark_of(run, runner, boot);
    if (!marks_.insert(mark).second)
      return;
    order_.push_back(mark);
    if (order_.size() > most_) {
      marks_.erase(order_.front());
      order_.pop_front();
    }
  }

  bool has(const run_key& run, std::string_view runner, std::string_view boot) const {
    return marks_.contains(mark_of(run, runner, boot));
  }

private:
  /// 64 bits stand for the whole: ids are random, so a false match is out of reach.
  static uint64_t mark_of(const run_key& run, std::string_view runner, std::string_view boot) {
    auto mix = [](uint64_t a, uint64_t b) { return (a ^ b) * 0x9E3779B97F4A7C15ULL + (a >> 29); };
    auto text = std::hash<std::string_view>{};
    return mix(mix(std::hash<job_id>{}(run.job), run.run_id), mix(text(runner), text(boot)));
  }

  size_t most_;
  std::unordered_set<uint64_t> marks_;
  std::deque<uint64_t> order_;
};

} // namespace troupe
