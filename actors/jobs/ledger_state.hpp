#pragma once

#include "actors/jobs/finished_runs.hpp"
#include "actors/jobs/known_runners.hpp"
#include "actors/jobs/lane.hpp"
#include "messages/job_events.hpp"

#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace troupe {

/// A run that its runner must stop.
struct stop_notice {
  std::string runner;
  run_key run;
};

/// The decisions about unfinished jobs, runs and leases, on memory alone. Each
/// decision is an event: it is put into the outbox and folded into the state by
/// the same functions that fold stored events after a restart, so the rebuilt
/// state equals the live one. No operation looks at every job.
///
/// Threads: one at a time.
class ledger_state {
public:
  explicit ledger_state(ledger_options options);
  ledger_state(const ledger_state&) = delete;
  ledger_state& operator=(const ledger_state&) = delete;

  /// Folds a stored job into an empty state. Errors: `ec::corrupt`.
  caf::error load(const live_job& stored, moment now);

  /// Whether `more` jobs of these lanes fit. Errors: `ec::saturated`.
  caf::error room_for(uint64_t more) const;
  /// Takes a job whose `job_queued` is durable.
  void enqueue(job_queued what, caf::timestamp queued_at, moment now);
  /// Ends a job or tells its run to stop; nothing if it is not an unfinished job.
  std::optional<job_status> cancel(const cancel_job& what, moment now);

  /// Whether a boot on a node may speak for a runner: a name belongs to the node that
  /// has it while its runner is live or has runs. Errors: `ec::conflict` (an older
  /// boot, another node's name).
  caf::error check_speaker(const std::string& runner, const std::string& boot,
                           const std::string& node, moment now) const;

  // Each comes from a runner on `node`; empty = not known.
  /// Gives out runs; the same ones to a repeated nonce. Errors: as `check_speaker`.
  caf::expected<claimed_runs> claim(const claim_runs& what, moment now,
                                    const std::string& node = {});
  lease_states renew(const renew_leases& what, moment now, const std::string& node = {});
  finish_outcomes finish(finish_runs what, moment now, const std::string& node = {});
  /// Takes progress; answers how many reports were of runs that go on.
  uint32_t report(report_stages what, moment now, const std::string& node = {});
  /// Takes what an outside processor says of a run; what is known or over changes nothing.
  report_answer report(const outside_report& what, moment now);
  /// Takes a runner's word about itself. Errors: as `check_speaker`.
  caf::error hear(runner_status what, moment now, const std::string& node = {});
  /// Whether a word of this boot ends runs of an older one: then it is a decision.
  bool ends_runs(const std::string& runner, const std::string& boot);

  runner_list runners(moment now) const {
    return runners_.list(now);
  }
  queue_list queues(moment now) const;
  size_t jobs() const {
    return jobs_.size();
  }

  /// Decides what is due, at most `most` jobs; true if more is due.
  bool expire(moment now, size_t most = 1024);
  /// Returns the tick at which `expire` has something to do.
  std::optional<caf::timespan> next_alarm() const;

  /// This process did not run for a while and heard nobody: every lease that is
  /// held now gets one full term, as after a restart.
  void excuse_silence(moment now) {
    no_expiry_until_ = now.tick + options_.lease;
  }

  /// Returns decided events that were not returned yet, the oldest first: at most
  /// `most_bytes` of them, but at least one.
  std::vector<event> take_events(size_t most_bytes = SIZE_MAX);
  bool has_events() const {
    return !events_.empty();
  }
  /// Returns the runs that runners must stop, since the last call.
  std::vector<stop_notice> take_notices();
  /// Returns whether work became claimable since the last call.
  bool take_arrivals();

  /// Returns a canonical text of everything that must survive a restart.
  std::string describe() const;

private:
  // ledger_apply.cpp: one function per event.
  void apply(const run_started& what, moment now, caf::timestamp at);
  void apply(const run_finished& what, moment now, caf::timestamp at);
  void apply(const cancel_requested& what, moment now, caf::timestamp at);
  void apply(const job_closed& what, moment now, caf::timestamp at);
  void apply(const job_requeued& what, moment now, caf::timestamp at);
  void apply(const run_progressed&, moment, caf::timestamp) {}
  caf::error load_event(const event& what, moment now);
  template <class T>
  void decide(const T& what, moment now) {
    events_.push_back(make_event(what, now.wall));
    apply(what, now, now.wall);
  }
  lane& lane_of(const std::string& queue, const std::vector<std::string>& capabilities);
  void leave_lane(lane& way);
  void release(job_slot& job);
  void wait_in_lane(job_slot& job);
  void set_alarm(job_slot& job);
  void clear_alarm(job_slot& job);
  void close(const job_slot& job, reason why, std::string note, moment now);

  // ledger_runs.cpp
  known_runner& greet(const std::string& runner, const std::string& boot, const std::string& node,
                      moment now);
  known_runner* recognize(const std::string& runner, const std::string& boot,
                          const std::string& node, moment now);
  job_slot* running(const run_key& key, const known_runner& who, const std::string& boot);
  claimed_runs repeat(const known_runner& who, const answered_claim& claim) const;
  run_order order_of(const job_slot& job) const;
  job_slot* next_job(const std::vector<lane*>& ways, const std::string& runner, moment now) const;
  std::vector<lane*> lanes_for(const claim_runs& what);
  void end_run(job_slot& job, run_report report, moment now, std::string avoid,
               bool at_once = false);
  void stop(job_slot& job);
  caf::timespan backoff_of(const job_slot& job) const;

  // ledger_outside.cpp
  report_outcome begin_outside(job_slot& job, const outside_report& what, moment now);
  report_outcome end_outside(job_slot& job, const outside_report& what, moment now);
  void start_outside(job_slot& job, const std::string& processor, uint32_t published, moment now);

  // ledger_expiry.cpp
  void expire_run(job_slot& job, moment now);
  void expire_wait(job_slot& job, moment now);

  ledger_options options_;
  caf::timespan no_expiry_until_{};
  std::unordered_map<job_id, job_slot> jobs_;
  std::map<std::string, job_queue, std::less<>> queues_;
  uint64_t lanes_ = 0;
  known_runners runners_;
  finished_runs finished_;
  std::set<std::pair<caf::timespan, job_slot*>> alarms_;
  std::deque<event> events_;
  uint64_t loading_ = 0; ///< Sequence of the event that is loaded, 0 = live.
  std::vector<stop_notice> notices_;
  bool arrivals_ = false;
};

} // namespace troupe
