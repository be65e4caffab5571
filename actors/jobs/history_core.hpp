#pragma once

#include "actors/jobs/history_index.hpp"
#include "actors/jobs/job_history.hpp"
#include "actors/projection/projection_pump.hpp"

#include <caf/typed_event_based_actor.hpp>
#include <caf/typed_response_promise.hpp>

#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

namespace troupe {

/// What the job history does with its messages: it follows the journal, answers
/// questions about jobs, and tells those who wait for a change of one.
class history_core final : private projection {
public:
  using self_pointer = job_history_inside::base*;

  history_core(self_pointer self, const directory* roles, std::shared_ptr<projection_table> table,
               history_options options);

  void start();
  caf::result<job_view> get(const get_job& what);
  caf::result<job_page> list(const list_jobs& what);
  caf::result<live_jobs> live(const read_live_jobs& what);
  /// Begins a round for the questions that have come.
  void flush() {
    pump_.flush();
  }
  void tick();

private:
  struct waiter {
    job_id job;
    uint64_t newer_than = 0;
    caf::typed_response_promise<job_view> reply;
    caf::timespan until{};
  };

  caf::error open() override {
    return index_.open();
  }
  uint64_t applied() const override {
    return index_.mark().sequence;
  }
  caf::error apply(const event_batch& batch) override;
  caf::error keep_mark() override {
    return index_.keep_mark();
  }
  void skip_to(uint64_t sequence) override {
    index_.skip_to(sequence);
  }

  caf::timespan now() const;
  void answer_get(const get_job& what, caf::typed_response_promise<job_view> reply);
  void ask_elder(const get_job& what, caf::typed_response_promise<job_view> reply);
  void tell_waiters(const std::vector<job_id>& changed);
  void end_waits();
  void retire();
  void arm(caf::timespan at);

  self_pointer self_;
  const directory* roles_;
  history_options options_;
  history_index index_;
  projection_pump<job_history_inside::base> pump_;
  caf::timespan next_retire_{};
  std::map<uint64_t, waiter> waiters_; ///< By arrival.
  std::unordered_multimap<job_id, uint64_t> waiters_of_;
  std::set<std::pair<caf::timespan, uint64_t>> waits_until_;
  uint64_t arrivals_ = 0;
  caf::timespan armed_{}; ///< Tick of the earliest alarm on its way, 0 = none.
};

} // namespace troupe
