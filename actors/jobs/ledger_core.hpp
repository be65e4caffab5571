#pragma once

#include "actors/jobs/job_ledger.hpp"
#include "actors/jobs/ledger_state.hpp"

#include <caf/typed_event_based_actor.hpp>
#include <caf/typed_response_promise.hpp>

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace troupe {

/// What the job ledger does with its messages: decides at once, appends what a
/// burst of messages decided in few messages, releases replies when durable.
class ledger_core {
public:
  using self_pointer = job_ledger_inside::base*;
  template <class T>
  using promise = caf::typed_response_promise<T>;

  ledger_core(self_pointer self, const directory* roles, ledger_options options);

  // ledger_start.cpp
  void start();

  // ledger_submit.cpp
  caf::result<job_accepted> submit(submit_job what);
  caf::result<jobs_accepted> submit(submit_jobs what);
  caf::result<job_status> cancel(const cancel_job& what);
  caf::result<job_accepted> retry(const retry_job& what);

  // ledger_serve.cpp
  caf::result<claimed_runs> claim(claim_runs what);
  caf::result<lease_states> renew(const renew_leases& what);
  caf::result<finish_outcomes> finish(finish_runs what);
  caf::result<uint32_t> report(report_stages what);
  caf::result<report_answer> report(const outside_report& what);
  caf::result<uint32_t> hear(runner_status what);
  caf::result<runner_list> runners();
  caf::result<queue_list> queues();

  // ledger_core.cpp
  caf::result<uint32_t> drain();
  void flush();
  void tick();

private:
  /// More appends than this would only wait in the journal's mailbox; meanwhile
  /// the next batch grows.
  static constexpr auto most_in_flight = size_t{8};

  enum class phase : uint8_t { opening, loading, serving, draining };
  /// Called with nothing when it is durable, else with why it is not.
  using release = std::function<void(const caf::error&)>;

  /// Jobs of one request; they enter memory when the journal has taken them.
  struct submission {
    std::vector<job_queued> jobs;
    std::string request_id; ///< Idempotency key of all of them; empty = none.
    uint64_t request_digest = 0;
    std::vector<event> events;    ///< Of the request, in the same group.
    std::vector<uint32_t> groups; ///< Per job: its group in the append.
    std::function<void(std::vector<job_accepted>)> done;
    std::function<void(const caf::error&)> failed;
  };
  struct submit_batch {
    append_events message;
    std::vector<submission> parts;
    uint64_t jobs = 0;
    uint64_t bytes = 0;
  };
  struct decided_batch {
    bool durable = false;
    std::vector<release> releases;
  };
  struct waiting_claim {
    claim_runs what;
    std::string node; ///< Where it came from.
    promise<claimed_runs> reply;
    caf::timespan until{};
  };

  moment now() const;
  caf::error closed() const;
  caf::error refuses_decisions() const;

  // ledger_start.cpp
  void open();
  void raise_barrier();
  void load_page();
  void serve();
  void again(caf::error why);

  // ledger_submit.cpp
  caf::error admit(const std::vector<submit_job>& jobs, const std::string& request_id,
                   bool one) const;
  void add(std::vector<submit_job> jobs, submission part);
  void send_submissions();
  void take_outcomes(submit_batch& batch, append_results& got);
  void refuse_submissions(submit_batch& batch, const caf::error& why);
  void ask_history(const cancel_job& what, promise<job_status> reply);

  // ledger_serve.cpp
  caf::expected<std::string> node_of_sender() const;
  void listen_to(const std::string& runner);
  void tell(const std::string& runner, const cancel_runs& what);
  void serve_waiting();
  void end_waiting(caf::timespan tick);
  void dismiss(const std::string& runner);
  void tell_runners();

  // ledger_core.cpp
  template <class T>
  caf::result<T> reply_when_durable(T what) {
    auto reply = self_->make_response_promise<T>();
    when_durable([reply, x = std::move(what)](const caf::error& why) mutable {
      if (why)
        reply.deliver(why);
      else
        reply.deliver(std::move(x));
    });
    return reply;
  }
  void when_durable(release what);
  void schedule_flush();
  void send_decisions();
  void send_decided(std::vector<event> events);
  void append(append_events what, std::function<void(append_results&)> good,
              std::function<void(const caf::error&)> bad);
  void settle();
  void fail(const caf::error& why);
  void watch_disk();
  void arm();
  void maybe_drained();

  self_pointer self_;
  const directory* roles_;
  ledger_options options_;
  ledger_state state_;
  phase phase_ = phase::opening;
  uint64_t epoch_ = 0;
  job_id loaded_;         ///< The last job that was loaded.
  caf::error why_closed_; ///< While opening: what stands in the way.
  caf::timespan backoff_{};
  bool trying_again_ = false; ///< A tick will repeat the present step.
  bool flush_scheduled_ = false;
  bool failed_ = false;
  bool full_ = false; ///< The journal refuses writes.
  caf::timespan disk_checked_{};
  bool checking_disk_ = false;
  caf::timespan armed_{};            ///< Tick of the earliest alarm on its way, 0 = none.
  size_t in_flight_ = 0;             ///< Appends without an answer.
  uint64_t undecided_ = 0;           ///< Jobs whose append is not answered.
  std::deque<submit_batch> batches_; ///< Not sent yet.
  std::set<std::shared_ptr<submit_batch>> sent_; ///< Without an answer.
  std::vector<release> releases_;                ///< Wait for what is decided but not sent.
  std::deque<decided_batch> decided_;            ///< Sent, in order.
  std::map<uint64_t, waiting_claim> waiting_;    ///< By arrival.
  uint64_t arrivals_ = 0;
  std::set<std::pair<caf::timespan, uint64_t>> waiting_until_;
  std::map<std::string, caf::weak_actor_ptr, std::less<>>
    listeners_; ///< Runners to tell of cancellations.
  std::map<std::string, cancel_runs, std::less<>>
    untold_; ///< What runners could not be told, until they are heard of.
  std::vector<promise<uint32_t>> drains_;
};

} // namespace troupe
