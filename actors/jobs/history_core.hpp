#pragma once

#include "actors/jobs/history_index.hpp"
#include "actors/jobs/job_history.hpp"

#include <caf/typed_event_based_actor.hpp>
#include <caf/typed_response_promise.hpp>

#include <functional>
#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

namespace troupe {

/// What the job history does with its messages. Questions come in rounds: those
/// that are there when a round begins are answered when a read that was sent
/// after they came has found the journal's end.
class history_core {
public:
  using self_pointer = job_history_inside::base*;

  history_core(self_pointer self, const directory* roles, std::shared_ptr<history_table> table,
               history_options options);

  void start();
  caf::result<job_view> get(const get_job& what);
  caf::result<job_page> list(const list_jobs& what);
  caf::result<live_jobs> live(const read_live_jobs& what);
  /// Begins a round for the questions that have come.
  void flush();
  void tick();

private:
  /// Called with nothing when the history is at the journal's end, else with why it is not.
  using question = std::function<void(const caf::error&)>;
  struct waiter {
    job_id job;
    uint64_t newer_than = 0;
    caf::typed_response_promise<job_view> reply;
    caf::timespan until{};
  };

  caf::timespan now() const;
  template <class T, class F>
  caf::result<T> ask(F answer);
  void answer_get(const get_job& what, caf::typed_response_promise<job_view> reply);
  void pull();
  void end_round(const caf::error& why);
  void follow();
  void follow_later();
  bool take(const event_batch& batch, caf::error& why);
  caf::error skip_forgotten(const caf::error& why);
  void tell_waiters(const std::vector<job_id>& changed);
  void end_waits();
  void keep_cursor(bool idle);
  void keep_cursor_failed(const caf::error& why);
  void journal_gone(const caf::down_msg& message);
  void retire();
  void arm(caf::timespan at);

  self_pointer self_;
  const directory* roles_;
  history_options options_;
  history_index index_;
  std::vector<question> asked_; ///< Wait for the next round.
  std::vector<question> round_; ///< Answered at the end of the present one.
  caf::timespan round_began_{};
  bool flush_scheduled_ = false;
  bool pulling_ = false;
  bool following_ = false;
  caf::actor_addr followed_; ///< The journal that a read waits at, monitored.
  uint64_t follow_turn_ = 0; ///< Counts journals that went: reads sent to them are over.
  bool retry_follow_ = false;
  caf::timespan backoff_{};
  uint64_t cursor_kept_ = UINT64_MAX; ///< What the journal was told; not yet = the maximum.
  caf::timespan next_retire_{};
  std::map<uint64_t, waiter> waiters_; ///< By arrival.
  std::unordered_multimap<job_id, uint64_t> waiters_of_;
  std::set<std::pair<caf::timespan, uint64_t>> waits_until_;
  uint64_t arrivals_ = 0;
  caf::timespan armed_{}; ///< Tick of the earliest alarm on its way, 0 = none.
};

} // namespace troupe
