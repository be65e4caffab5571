#pragma once

#include "actors/jobs/job_fold.hpp"
#include "actors/jobs/ledger_state.hpp"

#include <catch2/catch.hpp>

#include <map>
#include <memory>

namespace troupe::tests {

using namespace std::chrono_literals;

/// A ledger state without actors: its clock moves by hand, its events are kept
/// as a journal keeps them, and it can be rebuilt from them.
struct ledger_world {
  explicit ledger_world(ledger_options x = {}) : options{std::move(x)} {}

  static submit_job job(std::string queue = "fake-x86_64-0") {
    auto out = submit_job{};
    out.kind = "test";
    out.queue = std::move(queue);
    out.subject = "hello";
    out.spec = "the spec";
    return out;
  }

  static claim_runs claim_of(const std::string& runner, const std::string& nonce, uint32_t most = 1,
                             std::vector<std::string> queues = {"fake-x86_64-0"},
                             std::vector<std::string> capabilities = {}) {
    auto out = claim_runs{};
    out.runner = runner;
    out.boot = "boot1";
    out.nonce = nonce;
    out.queues = std::move(queues);
    out.capabilities = std::move(capabilities);
    out.max_runs = most;
    return out;
  }

  job_id submit(const submit_job& what = job()) {
    auto queued = job_queued{new_job_id(), what};
    store(make_event(queued, now.wall));
    ledger->enqueue(queued, now.wall, now);
    return queued.job;
  }

  /// Claims with a fresh nonce; answers the orders.
  std::vector<run_order> claim(const std::string& runner, uint32_t most = 1) {
    return claim(claim_of(runner, "n" + std::to_string(++nonces), most));
  }
  std::vector<run_order> claim(const claim_runs& what) {
    auto got = ledger->claim(what, now);
    REQUIRE(got);
    keep();
    return got->orders;
  }

  finish_outcome finish(const std::string& runner, const run_order& run, reason why = reason::none,
                        const std::string& boot = "boot1") {
    auto report = run_report{run.job, run.run_id, verdict_of(why), why, "", {}};
    auto got = ledger->finish({runner, boot, {report}}, now);
    keep();
    return got.outcomes.at(0);
  }

  lease_state renew(const std::string& runner, const run_order& run,
                    const std::string& boot = "boot1") {
    auto got = ledger->renew({runner, boot, {{run.job, run.run_id}}}, now);
    keep();
    return got.states.at(0);
  }

  std::optional<job_status> cancel(const job_id& id) {
    auto got = ledger->cancel({id, "somebody"}, now);
    keep();
    return got;
  }

  /// Moves both clocks, ringing every alarm at its time.
  void advance(caf::timespan by) {
    auto until = now.tick + by;
    while (auto at = ledger->next_alarm()) {
      if (*at > until)
        break;
      auto step = std::max(*at - now.tick, caf::timespan{0});
      now.tick += step;
      now.wall += step;
      ledger->expire(now);
      keep();
    }
    now.wall += until - now.tick;
    now.tick = until;
  }

  /// The ledger dies; a new one is rebuilt from the unfinished jobs.
  void restart() {
    ledger = std::make_unique<ledger_state>(options);
    for (const auto& [id, events] : journal)
      if (view(id).state != job_state::finished)
        REQUIRE(!ledger->load({id, events}, now));
  }

  job_view view(const job_id& id) const {
    auto out = job_view{};
    for (const auto& x : journal.at(id))
      REQUIRE(!apply(out, x));
    return out;
  }

  void keep() {
    for (auto& x : ledger->take_events())
      store(std::move(x));
  }
  void store(event x) {
    auto id = job_of(x.payload);
    REQUIRE(id);
    journal[*id].push_back({++sequence, 1, now.wall, std::move(x)});
  }

  ledger_options options;
  moment now{caf::timestamp{1'700'000'000s}, 1s};
  std::unique_ptr<ledger_state> ledger = std::make_unique<ledger_state>(options);
  std::map<job_id, std::vector<stored_event>> journal;
  uint64_t sequence = 0;
  int nonces = 0;
};

} // namespace troupe::tests
