/// What processors outside of Troupe say of runs: twice, late, out of order.
#include "tests/support/ledger_world.hpp"

#include <catch2/catch.hpp>

using namespace troupe;
using namespace std::chrono_literals;

namespace {

struct outside_world : tests::ledger_world {
  outside_world() {
    task.kind = "process";
    task.queue = std::string{outside_queue};
    task.retries = 2;
    task.retry_base = 1s;
    task.run_deadline = 2min;
    id = submit(task);
  }

  report_outcome say(outside_word word, const std::string& processor, uint32_t attempt = 0) {
    auto what = outside_report{};
    what.job = id;
    what.processor = processor;
    what.word = word;
    what.attempt = attempt;
    auto got = ledger->report(what, now);
    keep();
    return got.outcome;
  }
  size_t count(std::string_view topic) const {
    const auto& events = journal.at(id);
    return static_cast<size_t>(std::count_if(events.begin(), events.end(),
                                             [&](const auto& x) { return x.what.topic == topic; }));
  }

  submit_job task = job();
  job_id id;
};

} // namespace

TEST_CASE("an outside processor's start and end are one run") {
  auto world = outside_world{};
  CHECK(world.say(outside_word::start, "p1") == report_outcome::taken);
  CHECK(world.view(world.id).state == job_state::running);
  CHECK(world.say(outside_word::end, "p1") == report_outcome::taken);
  auto job = world.view(world.id);
  CHECK(job.result == verdict::pass);
  REQUIRE(job.runs.size() == 1);
  CHECK(job.runs[0].runner == "p1");
}

TEST_CASE("words that come twice change nothing") {
  auto world = outside_world{};
  world.say(outside_word::start, "p1", 1);
  CHECK(world.say(outside_word::start, "p1", 1) == report_outcome::repeated);
  CHECK(world.say(outside_word::start, "p1") == report_outcome::repeated);
  world.say(outside_word::end, "p1", 1);
  CHECK(world.say(outside_word::end, "p1", 1) == report_outcome::unknown);
  CHECK(world.count(run_started::topic) == 1);
  CHECK(world.count(run_finished::topic) == 1);
}

TEST_CASE("an end whose start was lost is a run, too") {
  auto world = outside_world{};
  CHECK(world.say(outside_word::end, "p1") == report_outcome::taken);
  CHECK(world.view(world.id).result == verdict::pass);
  CHECK(world.count(run_started::topic) == 1);
}

TEST_CASE("an outside task that fails is published again after its backoff, then dead") {
  auto world = outside_world{};
  auto waits = std::vector<caf::timespan>{1s, 2s};
  for (auto attempt = 1U; attempt <= 3; ++attempt) {
    CHECK(world.say(outside_word::start, "p1", attempt) == report_outcome::taken);
    CHECK(world.say(outside_word::fail, "p1", attempt) == report_outcome::taken);
    CHECK(world.say(outside_word::fail, "p1", attempt)
          == (attempt == 3 ? report_outcome::unknown : report_outcome::late));
    if (attempt == 3)
      break;
    world.advance(waits[attempt - 1] - 1ms);
    CHECK(world.count(job_requeued::topic) == attempt - 1);
    CHECK(world.say(outside_word::start, "p1") == report_outcome::late);
    world.advance(1ms);
    CHECK(world.count(job_requeued::topic) == attempt);
    // What was said of the attempt before comes once more.
    CHECK(world.say(outside_word::fail, "p1", attempt) == report_outcome::late);
  }
  auto job = world.view(world.id);
  CHECK(job.state == job_state::finished);
  CHECK(job.why == reason::process_failed);
  CHECK(job.runs.size() == 3);
}

TEST_CASE("a task that its outside processor abandoned comes back") {
  auto world = outside_world{};
  world.say(outside_word::start, "p1");
  world.advance(2min - 1s);
  CHECK(world.view(world.id).state == job_state::running);
  world.advance(1s);
  CHECK(world.view(world.id).runs[0].why == reason::claim_expired);
  CHECK(world.say(outside_word::end, "p1") == report_outcome::late);
  world.advance(1s);
  CHECK(world.count(job_requeued::topic) == 1);
  CHECK(world.say(outside_word::start, "p2") == report_outcome::taken);
  CHECK(world.say(outside_word::end, "p2") == report_outcome::taken);
  CHECK(world.view(world.id).result == verdict::pass);
}

TEST_CASE("a message that the broker gives to another processor moves the run to it") {
  auto world = outside_world{};
  world.say(outside_word::start, "p1", 1);
  CHECK(world.say(outside_word::start, "p2", 1) == report_outcome::taken);
  auto job = world.view(world.id);
  REQUIRE(job.runs.size() == 2);
  CHECK(job.runs[1].runner == "p2");
  CHECK(world.count(job_requeued::topic) == 0);
  CHECK(world.say(outside_word::end, "p1", 1) == report_outcome::late);
  // It says the attempt of its message.
  CHECK(world.say(outside_word::end, "p2", 1) == report_outcome::taken);
  CHECK(world.view(world.id).result == verdict::pass);
}

TEST_CASE("a rebuilt ledger knows what outside processors do") {
  auto world = outside_world{};
  world.say(outside_word::start, "p1", 1);
  world.say(outside_word::start, "p2", 1);
  auto before = world.ledger->describe();
  world.restart();
  CHECK(world.ledger->describe() == before);
  CHECK(world.say(outside_word::start, "p2", 1) == report_outcome::repeated);
  CHECK(world.say(outside_word::fail, "p2", 1) == report_outcome::taken);
  world.restart();
  world.advance(2s);
  CHECK(world.count(job_requeued::topic) == 1);
  world.restart();
  world.advance(1min);
  CHECK(world.count(job_requeued::topic) == 1);
  CHECK(world.say(outside_word::end, "p3", 3) == report_outcome::taken);
}

TEST_CASE("jobs of processors inside are none of theirs, and the other way round") {
  auto world = outside_world{};
  auto outside = world.id;
  world.id = world.submit();
  CHECK(world.say(outside_word::start, "p1") == report_outcome::not_yours);
  world.id = new_job_id();
  CHECK(world.say(outside_word::end, "p1") == report_outcome::unknown);
  world.id = outside;
  CHECK(world.cancel(outside)->state == job_state::finished);
  CHECK(world.say(outside_word::end, "p1") == report_outcome::unknown);
}

TEST_CASE("a failed task waits for its own backoff") {
  auto world = tests::ledger_world{};
  auto task = world.job();
  task.retries = 3;
  task.retry_base = 1s;
  auto id = world.submit(task);
  auto at = world.now.wall;
  for (auto wait : {1s, 2s, 4s}) {
    auto runs = world.claim("r1");
    REQUIRE(runs.size() == 1);
    world.finish("r1", runs[0], reason::process_failed);
    world.advance(wait - 1ms);
    CHECK(world.claim("r1").empty());
    world.advance(1ms);
    at += wait;
    CHECK(world.now.wall == at);
  }
  auto runs = world.claim("r1");
  REQUIRE(runs.size() == 1);
  world.finish("r1", runs[0], reason::process_failed);
  CHECK(world.view(id).result == verdict::fail);
}
