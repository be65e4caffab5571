#include "tests/support/jobs_system.hpp"

using namespace troupe;
using namespace troupe::tests;

TEST_CASE_METHOD(jobs_system, "a job goes from submission to its verdict") {
  start();
  auto id = submit();
  CHECK(view(id).state == job_state::queued);
  auto runs = claim("r1");
  REQUIRE(runs.size() == 1);
  CHECK(runs[0].job == id);
  CHECK(view(id).state == job_state::running);
  CHECK(finish("r1", runs[0]) == finish_outcome::accepted);
  CHECK(view(id).state == job_state::finished);
  CHECK(view(id).result == verdict::pass);
}

TEST_CASE_METHOD(jobs_system, "before it has taken over, the ledger answers unavailable") {
  directory.assign("journal", nullptr);
  ledger = sys.spawn(job_ledger, &directory, ledger_options{});
  sched.run();
  CHECK(explain(ask<job_accepted>(ledger, job()).error()).code == ec::unavailable);
  directory.assign("journal", caf::actor_cast<caf::strong_actor_ptr>(journal));
  run_for(3s);
  CHECK(explain(ask<job_accepted>(ledger, job()).error()).code == ec::unavailable);
  start_history();
  run_for(3s);
  CHECK(ask<job_accepted>(ledger, job()));
}

TEST_CASE_METHOD(jobs_system, "a repeated request id is answered with the first one's job") {
  start();
  auto what = job();
  what.request_id = "http:42";
  what.request_digest = 7;
  auto first = ask<job_accepted>(ledger, what);
  REQUIRE(first);
  CHECK_FALSE(first->repeated);
  auto second = ask<job_accepted>(ledger, what);
  REQUIRE(second);
  CHECK(second->repeated);
  CHECK(second->job == first->job);
  what.request_digest = 8;
  auto third = ask<job_accepted>(ledger, what);
  CHECK(explain(third.error()).code == ec::conflict);
  CHECK(claim("r1", 8).size() == 1);

  SECTION("also by the next ledger") {
    restart();
    what.request_digest = 7;
    CHECK(ask<job_accepted>(ledger, what)->job == first->job);
  }
}

TEST_CASE_METHOD(jobs_system, "many jobs are accepted in one request, in order") {
  start();
  auto many = submit_jobs{};
  SECTION("without an id") {}
  SECTION("with an id") {
    many.request_id = "http:many";
  }
  for (auto i = 0; i < 1000; ++i)
    many.jobs.push_back(job());
  auto got = ask<jobs_accepted>(ledger, many);
  REQUIRE(got);
  REQUIRE(got->jobs.size() == 1000);
  auto runs = claim("r1", 1000);
  REQUIRE(runs.size() == 1000);
  for (auto i = size_t{0}; i < 1000; ++i)
    REQUIRE(runs[i].job == got->jobs[i].job);
}

TEST_CASE_METHOD(jobs_system, "a repeated request of many jobs is answered with the first ones") {
  start();
  auto many = submit_jobs{{job(), job(), job()}, "http:many", 7};
  auto first = ask<jobs_accepted>(ledger, many);
  REQUIRE(first);
  REQUIRE(first->jobs.size() == 3);

  SECTION("at once and by the next ledger") {
    for (auto round = 0; round < 2; ++round) {
      auto again = ask<jobs_accepted>(ledger, many);
      REQUIRE(again);
      REQUIRE(again->jobs.size() == 3);
      for (auto i = size_t{0}; i < 3; ++i) {
        CHECK(again->jobs[i].repeated);
        CHECK(again->jobs[i].job == first->jobs[i].job);
      }
      restart();
    }
  }
  SECTION("a longer body under the same id stores nothing") {
    many.jobs.resize(5, job());
    many.request_digest = 8;
    CHECK(explain(ask<jobs_accepted>(ledger, many).error()).code == ec::conflict);
  }
  SECTION("a digest that says the same of another number of jobs is no proof") {
    many.jobs.resize(5, job());
    CHECK(explain(ask<jobs_accepted>(ledger, many).error()).code == ec::conflict);
  }
  SECTION("the id of one job cannot stand for many") {
    auto one = job();
    one.request_id = many.request_id;
    one.request_digest = many.request_digest;
    CHECK(explain(ask<job_accepted>(ledger, one).error()).code == ec::conflict);
  }
  auto runs = claim("r1", 100);
  REQUIRE(runs.size() == 3);
  for (auto i = size_t{0}; i < 3; ++i)
    CHECK(runs[i].job == first->jobs[i].job);
}

TEST_CASE_METHOD(jobs_system, "what a job says wrong is named by its field") {
  start();
  auto place_of = [&](const submit_job& x) {
    auto got = ask<job_accepted>(ledger, x);
    REQUIRE(!got);
    CHECK(explain(got.error()).code == ec::invalid_argument);
    return explain(got.error()).place;
  };
  auto x = job();
  x.queue = "no blanks";
  CHECK(place_of(x) == "queue");
  x = job();
  x.priority = 11;
  CHECK(place_of(x) == "priority");
  x = job();
  x.kind = "";
  CHECK(place_of(x) == "kind");
  x = job();
  x.capabilities = {"fine", "a b"};
  CHECK(place_of(x) == "capabilities[1]");
  x = job();
  x.tags = {{"dist", "a\nb"}};
  CHECK(place_of(x) == "tags.dist");
  x = job();
  x.run_deadline = 0s;
  CHECK(place_of(x) == "run_deadline");
  auto many = submit_jobs{{job(), x}};
  CHECK(explain(ask<jobs_accepted>(ledger, many).error()).place == "jobs[1].run_deadline");
  CHECK(claim("r1").empty()); // nothing of it was accepted
  many = submit_jobs{{job(), job()}};
  many.jobs[1].request_id = "own";
  CHECK(explain(ask<jobs_accepted>(ledger, many).error()).place == "jobs[1].request_id");
  many = submit_jobs{{job()}, std::string(257, 'k'), 1};
  CHECK(explain(ask<jobs_accepted>(ledger, many).error()).place == "request_id");
}

TEST_CASE_METHOD(jobs_system, "a claim waits for work and ends empty when its wait is over") {
  start();
  auto early = claim_later("r1", 20s);
  auto late = claim_later("r2", 20s);
  CHECK_FALSE(early.done());
  auto id = submit();
  REQUIRE(early.done());
  REQUIRE(early.orders().size() == 1);
  CHECK(early.orders()[0].job == id);
  CHECK_FALSE(late.done());
  run_for(21s);
  REQUIRE(late.done());
  CHECK(late.orders().empty());
}

TEST_CASE_METHOD(jobs_system, "a repeated claim that waits replaces the first one") {
  start();
  auto first = claim_later("r1", 20s, "same");
  auto second = claim_later("r1", 20s, "same");
  REQUIRE(first.done());
  CHECK(first.orders().empty());
  submit();
  CHECK(second.orders().size() == 1);
}

TEST_CASE_METHOD(jobs_system, "the waiting claim of a runner that breaks ends with nothing") {
  start();
  auto waiting = claim_later("r1", 20s);
  auto status = runner_status{};
  status.runner = "r1";
  status.boot = "boot1";
  status.broken = "no container engine";
  CHECK(ask<uint32_t>(ledger, status));
  REQUIRE(waiting.done());
  CHECK(waiting.orders().empty());
  CHECK(view(submit()).state == job_state::queued);
}

TEST_CASE_METHOD(jobs_system, "leases, retries and cancellations survive the ledger's end") {
  start();
  auto running = submit();
  auto ask_again = claim_of("r1", "nonce");
  REQUIRE(ask<claimed_runs>(ledger, ask_again)->orders.size() == 1);
  auto queued = submit();
  CHECK(ask<job_status>(ledger, cancel_job{running, "me"})->state == job_state::running);
  restart();
  auto again = ask<claimed_runs>(ledger, ask_again);
  REQUIRE(again);
  REQUIRE(again->orders.size() == 1);
  CHECK(again->orders[0].job == running);
  auto leases = ask<lease_states>(ledger, renew_leases{"r1", "boot1", {{running, 0}}});
  CHECK(leases->states.at(0) == lease_state::canceled);
  CHECK(finish("r1", again->orders[0], reason::canceled) == finish_outcome::accepted);
  CHECK(view(running).result == verdict::canceled);
  CHECK(claim("r1").at(0).job == queued);
}

TEST_CASE_METHOD(jobs_system, "an expired lease gives the job to the next runner by itself") {
  start();
  auto id = submit();
  REQUIRE(claim("r1").size() == 1);
  auto other = claim_later("r2", 30s);
  run_for(29s);
  other = claim_later("r2", 30s);
  run_for(29s);
  other = claim_later("r2", 30s);
  run_for(3s);
  REQUIRE(other.done());
  CHECK(other.orders().at(0).run_id == 1);
  CHECK(view(id).runs.at(0).why == reason::claim_expired);
}

TEST_CASE_METHOD(jobs_system, "the runner of a canceled run is told at once") {
  start();
  auto id = submit();
  auto runner = fake_runner{*this, "r1"};
  REQUIRE(runner.runs() == 1);
  CHECK(ask<job_status>(ledger, cancel_job{id, "me"})->state == job_state::running);
  REQUIRE(runner.canceled().size() == 1);
  CHECK(runner.canceled()[0].job == id);
  run_for(11s); // it never answers
  CHECK(view(id).result == verdict::canceled);
}

TEST_CASE_METHOD(jobs_system, "canceling a finished job answers what it came to") {
  start();
  auto id = submit();
  CHECK(ask<job_status>(ledger, cancel_job{id, "me"})->result == verdict::canceled);
  CHECK(ask<job_status>(ledger, cancel_job{id, "me"})->result == verdict::canceled);
  auto passed = submit();
  finish("r1", claim("r1").at(0));
  auto got = ask<job_status>(ledger, cancel_job{passed, "me"});
  CHECK(got->state == job_state::finished);
  CHECK(got->result == verdict::pass);
  CHECK(explain(ask<job_status>(ledger, cancel_job{new_job_id(), "me"}).error()).code
        == ec::not_found);
}

TEST_CASE_METHOD(jobs_system, "a finished job is submitted again as a new one") {
  start();
  auto id = submit();
  CHECK(explain(ask<job_accepted>(ledger, retry_job{id, "me"}).error()).code == ec::conflict);
  finish("r1", claim("r1").at(0), reason::install_failed);
  auto got = ask<job_accepted>(ledger, retry_job{id, "me"});
  REQUIRE(got);
  CHECK(got->job != id);
  CHECK(view(got->job).retry_of == id);
  CHECK(view(got->job).owner == "me");
  CHECK(claim("r1").at(0).spec == "the spec");
  CHECK(explain(ask<job_accepted>(ledger, retry_job{new_job_id(), "me"}).error()).code
        == ec::not_found);
}

TEST_CASE_METHOD(jobs_system, "a repeated retry is answered with the first one's job") {
  start();
  auto id = submit();
  finish("r1", claim("r1").at(0), reason::install_failed);
  auto first = ask<job_accepted>(ledger, retry_job{id, "me", "http:again", 7});
  REQUIRE(first);
  auto second = ask<job_accepted>(ledger, retry_job{id, "me", "http:again", 7});
  REQUIRE(second);
  CHECK(second->repeated);
  CHECK(second->job == first->job);
  CHECK(explain(ask<job_accepted>(ledger, retry_job{id, "me", "http:again", 8}).error()).code
        == ec::conflict);
  CHECK(claim("r1", 8).size() == 1);
}

TEST_CASE_METHOD(jobs_system, "a full disk refuses submissions, kills nothing, and heals") {
  start();
  submit();
  backend->fail_commits(fault(ec::disk_full, "no space"));
  CHECK(explain(ask<job_accepted>(ledger, job()).error()).code == ec::disk_full);
  CHECK(claim("r1").empty()); // nothing is decided that could not be kept
  CHECK(explain(ask<job_status>(ledger, cancel_job{new_job_id(), "me"}).error()).code
        == ec::disk_full);
  backend->fail_commits({});
  run_for(3s);
  CHECK(claim("r1").size() == 1);
  CHECK(ask<job_accepted>(ledger, job()));
}

TEST_CASE_METHOD(jobs_system,
                 "a decision that cannot be kept ends the ledger; the next one knows better") {
  start();
  auto id = submit();
  backend->fail_commits(fault(ec::disk_full, "no space"));
  auto got = ask<claimed_runs>(ledger, claim_of("r1", "n"));
  CHECK(!got);
  backend->fail_commits({});
  restart();
  CHECK(view(id).runs.empty());
  CHECK(claim("r1").at(0).run_id == 0);
}

TEST_CASE_METHOD(jobs_system, "a ledger that was replaced cannot decide any more") {
  start();
  auto id = submit();
  auto old_one = ledger;
  ledger = sys.spawn(job_ledger, &directory, ledger_options{});
  run_for(1s);
  CHECK(!ask<job_status>(old_one, cancel_job{id, "me"}));
  CHECK(view(id).state == job_state::queued);
  CHECK(claim("r1").size() == 1);
}

TEST_CASE_METHOD(jobs_system,
                 "draining answers when everything is durable, then nothing is taken") {
  start();
  submit();
  auto waiting = claim_later("r2", 20s, "n", {"other"});
  CHECK(ask<uint32_t>(ledger, drain_atom_v) == 1U);
  CHECK(waiting.done());
  CHECK(explain(ask<job_accepted>(ledger, job()).error()).code == ec::unavailable);
  CHECK(explain(ask<claimed_runs>(ledger, claim_of("r1", "n")).error()).code == ec::unavailable);
}

TEST_CASE_METHOD(jobs_system, "runners and queues are listed") {
  start();
  submit();
  auto status = runner_status{};
  status.runner = "r1";
  status.boot = "boot1";
  status.queues = {"fake-x86_64-0"};
  status.slots = 4;
  CHECK(ask<uint32_t>(ledger, status));
  auto runners = ask<runner_list>(ledger, runners_atom_v);
  REQUIRE(runners);
  CHECK(runners->runners.at(0).slots == 4);
  auto queues = ask<queue_list>(ledger, queues_atom_v);
  REQUIRE(queues);
  CHECK(queues->queues.at(0).queued == 1);
  CHECK(queues->queues.at(0).slots == 4);
}

TEST_CASE_METHOD(jobs_system, "results larger than an append are kept in several") {
  start();
  constexpr auto many = uint32_t{200};
  auto jobs = submit_jobs{};
  for (auto i = uint32_t{0}; i < many; ++i)
    jobs.jobs.push_back(job());
  REQUIRE(ask<jobs_accepted>(ledger, jobs));
  auto what = finish_runs{"r1", "boot1", {}};
  for (const auto& run : claim("r1", many)) {
    auto step = stage{};
    step.name = "test";
    step.output = std::string(100 << 10, 'x');
    what.reports.push_back({run.job, run.run_id, verdict::pass, reason::none, "", {step}});
  }
  REQUIRE(what.reports.size() == many);
  auto got = ask<finish_outcomes>(ledger, what);
  REQUIRE(got);
  CHECK(got->outcomes == std::vector(many, finish_outcome::accepted));
  CHECK(view(what.reports.front().job).state == job_state::finished);
  CHECK(view(what.reports.back().job).state == job_state::finished);
}

TEST_CASE_METHOD(jobs_system, "what fits into no append is refused by its place, and only that") {
  start();
  submit();
  auto run = claim("r1").at(0);
  auto report = run_report{run.job, run.run_id, verdict::pass, reason::none, "", {}};
  report.note = std::string(17 << 20, 'x');
  auto got = ask<finish_outcomes>(ledger, finish_runs{"r1", "boot1", {report}});
  REQUIRE(!got);
  CHECK(explain(got.error()).code == ec::too_large);
  CHECK(explain(got.error()).place == "reports[0]");
  CHECK(finish("r1", run) == finish_outcome::accepted);

  auto jobs = submit_jobs{};
  for (auto i = 0; i < 9; ++i) {
    jobs.jobs.push_back(job());
    jobs.jobs.back().spec = std::string(1 << 20, 'x');
  }
  auto refused = ask<jobs_accepted>(ledger, jobs);
  REQUIRE(!refused);
  CHECK(explain(refused.error()).code == ec::too_large);
  CHECK(explain(refused.error()).place == "jobs");
}

TEST_CASE_METHOD(jobs_system, "a cancellation after a restart waits for the runner to be heard") {
  start();
  auto before = submit();
  auto after = submit();
  REQUIRE(claim("r1", 2).size() == 2);
  CHECK(ask<job_status>(ledger, cancel_job{before, "me"})->state == job_state::running);
  restart();
  CHECK(ask<job_status>(ledger, cancel_job{after, "me"})->state == job_state::running);
  auto runner = fake_runner{*this, "r1"};
  auto told = std::set<job_id>{};
  for (const auto& run : runner.canceled())
    told.insert(run.job);
  CHECK(told == std::set{before, after});
}

TEST_CASE_METHOD(jobs_system, "a full disk keeps a new boot from ending the runs of the old one") {
  start();
  auto id = submit();
  REQUIRE(claim("r1").size() == 1);
  backend->fail_commits(fault(ec::disk_full, "no space"));
  CHECK(explain(ask<job_accepted>(ledger, job()).error()).code == ec::disk_full);
  auto status = runner_status{};
  status.runner = "r1";
  status.boot = "boot2";
  auto got = ask<uint32_t>(ledger, status);
  REQUIRE(!got);
  CHECK(explain(got.error()).code == ec::disk_full);
  status.boot = "boot1"; // nothing is decided with it
  CHECK(ask<uint32_t>(ledger, status));
  backend->fail_commits({});
  run_for(3s);
  status.boot = "boot2";
  CHECK(ask<uint32_t>(ledger, status));
  CHECK(view(id).runs.at(0).why == reason::claim_expired);
}

TEST_CASE_METHOD(jobs_system, "a ledger that drains sets no timer for what it cannot decide") {
  start();
  submit();
  REQUIRE(claim("r1").size() == 1);
  CHECK(ask<uint32_t>(ledger, drain_atom_v) == 1U);
  run_for(2min); // the lease is long over
  // A timer that is due at once would be set again and again.
  const auto& timers = sched.clock().schedule();
  CHECK((timers.empty() || timers.begin()->first > sched.clock().now()));
}

TEST_CASE_METHOD(jobs_system, "after the host slept a lease gets one full term, not more") {
  auto slept = std::make_shared<caf::timespan>(0);
  start_history();
  auto options = ledger_options{};
  options.suspended = [slept] { return *slept; };
  ledger = sys.spawn(job_ledger, &directory, options);
  directory.assign("jobs", caf::actor_cast<caf::strong_actor_ptr>(ledger));
  run_for(1s);
  auto id = submit();
  REQUIRE(claim("r1").size() == 1);
  run_for(11s);
  CHECK(view(id).state == job_state::running);
  *slept = 1h; // nobody could renew meanwhile
  run_for(30s);
  CHECK(view(id).state == job_state::running);
  run_for(45s);
  REQUIRE(view(id).runs.size() == 1);
  CHECK(view(id).runs[0].why == reason::claim_expired);
}
