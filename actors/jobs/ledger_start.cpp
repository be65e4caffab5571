#include "actors/jobs/ledger_core.hpp"
#include "config/log.hpp"
#include "messages/time.hpp"

#include <algorithm>

/// How the ledger takes over: epoch, barrier, rebuild.
namespace troupe {

namespace {

using namespace std::chrono_literals;

constexpr auto first_read_backoff = caf::timespan{10ms};
constexpr auto longest_read_backoff = caf::timespan{1s};

} // namespace

void ledger_core::start() {
  open();
}

/// Tries the present step again after a while: the roles start in any order.
void ledger_core::again(caf::error why) {
  why_closed_ = std::move(why);
  trying_again_ = true;
  backoff_ = std::clamp(backoff_ * 2, first_read_backoff, longest_read_backoff);
  self_->delayed_send(self_, backoff_, caf::tick_atom_v);
}

void ledger_core::open() {
  auto journal = roles_->find<journal_actor>("journal");
  if (!journal)
    return again(fault(ec::unavailable, "there is no journal"));
  self_->request(journal, options_.append_timeout, status_atom_v)
    .then(
      [this](const journal_status& got) {
        // Each ledger appends at least its barrier, so the next one gets a larger epoch.
        epoch_ = got.next;
        raise_barrier();
      },
      [this](const caf::error& why) { again(why); });
}

/// From here on no event of an earlier ledger counts, however late it comes.
void ledger_core::raise_barrier() {
  auto message = append_events{"jobs", epoch_, {}};
  message.groups.emplace_back().events.push_back(make_event(ledger_opened{epoch_}, now().wall));
  append(
    std::move(message),
    [this](append_results&) {
      phase_ = phase::loading;
      backoff_ = caf::timespan{0};
      load_page();
    },
    [this](const caf::error& why) { again(why); });
}

void ledger_core::load_page() {
  auto history = roles_->find<job_history_actor>("history");
  if (!history)
    return again(fault(ec::unavailable, "there is no job history"));
  auto query = read_live_jobs{};
  query.after = loaded_;
  self_->request(history, options_.read_timeout, query)
    .then(
      [this](const live_jobs& page) {
        if (page.jobs.empty())
          return serve();
        auto at = now();
        for (const auto& job : page.jobs)
          if (auto why = state_.load(job, at))
            log(log_level::error, "job_ledger", "stored job cannot be read",
                {{"job", to_string(job.job)}, {"reason", one_line(why)}});
        loaded_ = page.jobs.back().job;
        backoff_ = caf::timespan{0};
        load_page();
      },
      [this](const caf::error& why) { again(why); });
}

void ledger_core::serve() {
  if (phase_ != phase::loading)
    return;
  phase_ = phase::serving;
  why_closed_ = {};
  log(log_level::info, "job_ledger", "job ledger opened",
      {{"epoch", epoch_}, {"jobs", state_.jobs()}});
  schedule_flush();
}

} // namespace troupe
