#pragma once

#include "actors/jobs/job_history.hpp"
#include "actors/jobs/job_ledger.hpp"
#include "actors/journal/journal.hpp"
#include "actors/journal/memory_backend.hpp"
#include "tests/support/deterministic_system.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace troupe::tests {

using namespace std::chrono_literals;

/// Journal (in memory), history and ledger in simulated time.
class jobs_system : public deterministic_system {
public:
  jobs_system() {
    auto options = journal_options{};
    options.readers = 0;
    journal = sys.spawn(troupe::journal, backend, options);
    directory.assign("journal", caf::actor_cast<caf::strong_actor_ptr>(journal));
    sched.run();
  }
  ~jobs_system() {
    for (auto role : {"jobs", "history", "journal"})
      directory.assign(role, nullptr);
    for (const auto& x : stoppable_)
      caf::anon_send_exit(x, caf::exit_reason::user_shutdown);
    stop(ledger);
    stop(history);
    stop(journal);
    sched.run();
  }

  void start_history() {
    history = sys.spawn(job_history, &directory, table, history_options{});
    directory.assign("history", caf::actor_cast<caf::strong_actor_ptr>(history));
  }
  void start() {
    start_history();
    ledger = sys.spawn(job_ledger, &directory, ledger_options{});
    directory.assign("jobs", caf::actor_cast<caf::strong_actor_ptr>(ledger));
    run_for(1s);
  }
  /// Ledger and history die; new ones take their place.
  void restart() {
    stop(ledger);
    stop(history);
    sched.run();
    start();
  }

  /// Lets simulated time pass in small steps.
  void run_for(caf::timespan span) {
    constexpr auto step = caf::timespan{100ms};
    sched.run();
    for (; span > caf::timespan{0}; span -= step) {
      sched.advance_time(std::chrono::duration_cast<caf::actor_clock::duration_type>(step));
      sched.run();
    }
  }

  static submit_job job() {
    auto out = submit_job{};
    out.kind = "test";
    out.queue = "fake-x86_64-0";
    out.subject = "hello";
    out.spec = "the spec";
    return out;
  }
  static claim_runs claim_of(const std::string& runner, const std::string& nonce,
                             uint32_t most = 1) {
    auto out = claim_runs{};
    out.runner = runner;
    out.boot = "boot1";
    out.nonce = nonce;
    out.queues = {"fake-x86_64-0"};
    out.max_runs = most;
    return out;
  }

  job_id submit() {
    auto got = ask<job_accepted>(ledger, job());
    REQUIRE(got);
    return got->job;
  }
  std::vector<run_order> claim(const std::string& runner, uint32_t most = 1) {
    auto got = ask<claimed_runs>(ledger, claim_of(runner, "n" + std::to_string(++nonces_), most));
    REQUIRE(got);
    return got->orders;
  }
  finish_outcome finish(const std::string& runner, const run_order& run,
                        reason why = reason::none) {
    auto report = run_report{run.job, run.run_id, verdict_of(why), why, "", {}};
    auto got = ask<finish_outcomes>(ledger, finish_runs{runner, "boot1", {report}});
    REQUIRE(got);
    return got->outcomes.at(0);
  }
  job_view view(const job_id& id) {
    auto query = get_job{};
    query.job = id;
    auto got = ask<job_view>(history, query);
    REQUIRE(got);
    return *got;
  }

  /// A request whose answer comes later.
  template <class Reply>
  class pending {
  public:
    bool done() const {
      return answer_->has_value();
    }
    const Reply& get() const {
      REQUIRE(answer_->has_value());
      return **answer_;
    }
    const std::vector<run_order>& orders() const {
      return get().orders;
    }
    std::shared_ptr<std::optional<Reply>> answer_ = std::make_shared<std::optional<Reply>>();
  };

  /// Sends a request from an actor that keeps the answer.
  template <class Reply, class Handle, class T>
  pending<Reply> ask_later(const Handle& to, T what) {
    auto out = pending<Reply>{};
    stoppable_.push_back(sys.spawn(
      [=, answer = out.answer_](caf::event_based_actor* self, Handle server) -> caf::behavior {
        self->request(server, std::chrono::minutes{5}, what)
          .then([answer](const Reply& x) { *answer = x; }, [](const caf::error&) {});
        return {[](const cancel_runs&) {}};
      },
      to));
    sched.run();
    return out;
  }
  pending<claimed_runs> claim_later(const std::string& runner, caf::timespan wait,
                                    std::string nonce = {},
                                    std::vector<std::string> queues = {"fake-x86_64-0"}) {
    auto what = claim_of(runner, nonce.empty() ? "n" + std::to_string(++nonces_) : nonce);
    what.wait = wait;
    what.queues = std::move(queues);
    return ask_later<claimed_runs>(ledger, what);
  }

  std::shared_ptr<memory_backend> backend = std::make_shared<memory_backend>();
  std::shared_ptr<memory_table> table = std::make_shared<memory_table>();
  troupe::directory directory;
  journal_actor journal;
  job_history_actor history;
  job_ledger_actor ledger;

  /// Stops what was spawned by a test at its end.
  void stop_at_end(const caf::actor& x) {
    stoppable_.push_back(x);
  }
  std::string fresh_nonce() {
    return "n" + std::to_string(++nonces_);
  }

private:
  template <class Handle>
  void stop(Handle& x) {
    if (x)
      caf::anon_send_exit(x, caf::exit_reason::user_shutdown);
    x = nullptr;
  }

  std::vector<caf::actor> stoppable_;
  int nonces_ = 0;
};

/// A runner that claims one run and remembers what it is told to stop.
class fake_runner {
public:
  fake_runner(jobs_system& in, const std::string& name) {
    auto what = jobs_system::claim_of(name, in.fresh_nonce());
    in.stop_at_end(in.sys.spawn(
      [=, runs = runs_, canceled = canceled_](caf::event_based_actor* self,
                                              job_ledger_actor ledger) -> caf::behavior {
        self->request(ledger, std::chrono::seconds{5}, what)
          .then([runs](const claimed_runs& x) { *runs = x.orders.size(); },
                [](const caf::error&) {});
        return {[canceled](const cancel_runs& x) {
          canceled->insert(canceled->end(), x.runs.begin(), x.runs.end());
        }};
      },
      in.ledger));
    in.sched.run();
  }

  size_t runs() const {
    return *runs_;
  }
  const std::vector<run_key>& canceled() const {
    return *canceled_;
  }

private:
  std::shared_ptr<size_t> runs_ = std::make_shared<size_t>(0);
  std::shared_ptr<std::vector<run_key>> canceled_ = std::make_shared<std::vector<run_key>>();
};

} // namespace troupe::tests
