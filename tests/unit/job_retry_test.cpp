#include "tests/support/ledger_world.hpp"

using namespace troupe;
using namespace troupe::tests;

namespace {

/// Lets runs of one job end for `why` until it is finished; answers how many there were.
size_t runs_until_finished(ledger_world& w, const job_id& id, reason why) {
  while (w.view(id).state != job_state::finished) {
    auto got = w.claim("r1");
    if (got.empty())
      w.advance(5s);
    else
      REQUIRE(w.finish("r1", got[0], why) == finish_outcome::accepted);
  }
  return w.view(id).runs.size();
}

} // namespace

TEST_CASE("a verdict is never retried") {
  auto w = ledger_world{};
  for (auto why : {reason::none, reason::install_failed, reason::oom, reason::stage_timeout,
                   reason::package_rejected, reason::canceled, reason::malformed_request}) {
    auto id = w.submit();
    CHECK(runs_until_finished(w, id, why) == 1);
    CHECK(w.view(id).result == verdict_of(why));
  }
}

TEST_CASE("infrastructure errors use up the retries, then the job is an error") {
  auto w = ledger_world{};
  auto id = w.submit();
  CHECK(runs_until_finished(w, id, reason::env_lost) == 4);
  CHECK(w.view(id).result == verdict::error);
  CHECK(w.view(id).why == reason::env_lost);
}

TEST_CASE("the first lost claim does not count") {
  auto w = ledger_world{};
  auto what = ledger_world::job();
  what.retries = 1;
  CHECK(runs_until_finished(w, w.submit(what), reason::worker_shutdown) == 3);
}

TEST_CASE("a timeout is retried only if the job asks for it") {
  auto w = ledger_world{};
  auto what = ledger_world::job();
  what.retry_on_timeout = true;
  what.retries = 2;
  CHECK(runs_until_finished(w, w.submit(what), reason::task_timeout) == 3);
  CHECK(runs_until_finished(w, w.submit(), reason::task_timeout) == 1);
}

TEST_CASE("retries wait 10, 60 and 300 seconds") {
  auto w = ledger_world{};
  auto id = w.submit();
  for (auto wait : {10s, 60s, 300s}) {
    auto run = w.claim("r1").at(0);
    w.finish("r1", run, reason::repo_unreachable);
    w.advance(wait - 1s);
    CHECK(w.claim("r1").empty());
    w.advance(1s);
  }
  CHECK(w.claim("r1").size() == 1);
  CHECK(w.view(id).runs.size() == 4);
}

TEST_CASE("a retry waits on after a restart") {
  auto w = ledger_world{};
  w.submit();
  w.finish("r1", w.claim("r1").at(0), reason::repo_unreachable);
  w.advance(4s);
  w.restart();
  CHECK(w.claim("r1").empty());
  w.advance(5s);
  CHECK(w.claim("r1").empty());
  w.advance(1s);
  CHECK(w.claim("r1").size() == 1);
}

TEST_CASE("a lease that nobody renews expires, and another run gets the job") {
  auto w = ledger_world{};
  auto id = w.submit();
  auto run = w.claim("r1").at(0);
  w.advance(59s);
  CHECK(w.renew("r1", run) == lease_state::held);
  w.advance(59s);
  CHECK(w.view(id).state == job_state::running);
  w.advance(1s);
  CHECK(w.view(id).state == job_state::queued);
  CHECK(w.view(id).runs[0].why == reason::claim_expired);
  CHECK(w.renew("r1", run) == lease_state::lost);
  CHECK(w.finish("r1", run) == finish_outcome::refused);
  CHECK(w.claim("r2").at(0).run_id == 1);
}

TEST_CASE("after a restart every lease gets one full term") {
  auto w = ledger_world{};
  auto id = w.submit();
  auto run = w.claim("r1").at(0);
  w.advance(50s);
  w.restart();
  w.advance(59s);
  CHECK(w.view(id).state == job_state::running);
  CHECK(w.finish("r1", run) == finish_outcome::accepted);
}

TEST_CASE("steps of the wall clock neither end leases nor prolong them") {
  auto w = ledger_world{};
  auto id = w.submit();
  w.claim("r1");
  w.now.wall += 1h;
  w.ledger->expire(w.now);
  w.keep();
  CHECK(w.view(id).state == job_state::running);
  w.now.wall -= 2h;
  w.advance(60s);
  CHECK(w.view(id).state == job_state::queued);
}

TEST_CASE("a renewed run ends at its deadline and its grace all the same") {
  auto w = ledger_world{};
  auto what = ledger_world::job();
  what.run_deadline = 120s;
  auto id = w.submit(what);
  auto run = w.claim("r1").at(0);
  for (auto i = 0; i < 4; ++i) {
    w.advance(30s);
    CHECK(w.renew("r1", run) == lease_state::held);
  }
  w.advance(29s);
  CHECK(w.view(id).state == job_state::running);
  w.advance(1s);
  CHECK(w.view(id).result == verdict::timeout);
  CHECK(w.view(id).why == reason::task_timeout);
  CHECK(w.renew("r1", run) == lease_state::lost);
  CHECK(w.ledger->take_notices().size() == 1);
}

TEST_CASE("a job whose platform nobody offers ends as unsupported") {
  auto w = ledger_world{};
  auto what = ledger_world::job();
  what.queue_deadline = 1h;
  auto id = w.submit(what);
  w.claim(ledger_world::claim_of("r1", "n", 1, {"another"}));
  w.advance(1h - 1s);
  CHECK(w.view(id).state == job_state::queued);
  w.advance(1s);
  CHECK(w.view(id).result == verdict::error);
  CHECK(w.view(id).why == reason::unsupported_platform);
}

TEST_CASE("a job whose runners were busy for too long ends as deadline-exceeded") {
  auto w = ledger_world{};
  auto what = ledger_world::job();
  what.queue_deadline = 1h;
  auto first = w.submit();
  auto id = w.submit(what);
  CHECK(w.claim("r1").at(0).job == first);
  w.advance(30min);
  w.restart(); // the deadline goes on
  w.advance(30min);
  CHECK(w.view(id).why == reason::deadline_exceeded);
}

TEST_CASE("a canceled job in the queue never starts") {
  auto w = ledger_world{};
  auto id = w.submit();
  auto got = w.cancel(id);
  REQUIRE(got);
  CHECK(got->state == job_state::finished);
  CHECK(got->result == verdict::canceled);
  CHECK(w.claim("r1").empty());
  CHECK_FALSE(w.cancel(id)); // the history answers now
  CHECK(w.view(id).result == verdict::canceled);
}

TEST_CASE("canceling a running job tells its runner, twice is the same") {
  auto w = ledger_world{};
  auto id = w.submit();
  auto run = w.claim("r1").at(0);
  CHECK(w.cancel(id)->state == job_state::running);
  auto notices = w.ledger->take_notices();
  REQUIRE(notices.size() == 1);
  CHECK(notices[0].runner == "r1");
  CHECK(notices[0].run == run_key{id, 0});
  CHECK(w.cancel(id)->state == job_state::running);
  CHECK(w.ledger->take_notices().empty());
  CHECK(w.renew("r1", run) == lease_state::canceled);

  SECTION("the runner reports it") {
    CHECK(w.finish("r1", run, reason::canceled) == finish_outcome::accepted);
    CHECK(w.view(id).result == verdict::canceled);
  }
  SECTION("an infrastructure error does not bring it back") {
    CHECK(w.finish("r1", run, reason::env_lost) == finish_outcome::accepted);
    CHECK(w.view(id).result == verdict::canceled);
  }
  SECTION("a verdict that was reached before stays") {
    CHECK(w.finish("r1", run, reason::test_failed) == finish_outcome::accepted);
    CHECK(w.view(id).result == verdict::fail);
  }
  SECTION("a silent runner does not hold it") {
    w.advance(10s);
    CHECK(w.view(id).result == verdict::canceled);
    CHECK(w.ledger->jobs() == 0);
  }
  SECTION("a restart does not forget it") {
    w.restart();
    CHECK(w.renew("r1", run) == lease_state::canceled);
    w.advance(10s);
    CHECK(w.view(id).result == verdict::canceled);
  }
}

TEST_CASE("progress is taken of runs that go on only") {
  auto w = ledger_world{};
  auto id = w.submit();
  w.claim("r1");
  auto step = stage{};
  step.name = "install_package";
  CHECK(w.ledger->report({"r1", "boot1", {{id, 0, step}, {id, 7, step}}}, w.now) == 1);
  CHECK(w.ledger->report({"r2", "boot1", {{id, 0, step}}}, w.now) == 0);
  w.keep();
  CHECK(w.view(id).runs.at(0).stages.at(0).name == "install_package");
}

TEST_CASE("a full ledger refuses more") {
  auto options = ledger_options{};
  options.max_jobs = 2;
  auto w = ledger_world{options};
  w.submit();
  CHECK(!w.ledger->room_for(1));
  CHECK(explain(w.ledger->room_for(2)).code == ec::saturated);
}
