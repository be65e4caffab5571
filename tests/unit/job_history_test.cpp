#include "actors/jobs/history_index.hpp"
#include "tests/support/ledger_world.hpp"

using namespace troupe;
using namespace troupe::tests;

namespace {

/// A history over a table in memory, and the journal that it is told.
struct history_world {
  history_world() {
    tell(make_event(ledger_opened{1}, time), 1);
  }

  std::vector<job_id> tell(event x, uint64_t from_epoch) {
    auto batch = event_batch{{{++sequence, from_epoch, time, std::move(x)}}, sequence + 1, true};
    auto got = index.apply(batch);
    REQUIRE(got);
    return *got;
  }
  template <class T>
  std::vector<job_id> tell(const T& x) {
    return tell(make_event(x, time), epoch);
  }

  job_id submit(submit_job what = ledger_world::job()) {
    auto queued = job_queued{new_job_id(), std::move(what)};
    tell(queued);
    return queued.job;
  }
  void finish(const job_id& id, verdict result) {
    tell(run_started{id, 0, "r1", "b", "n"});
    auto done = run_finished{};
    done.job = id;
    done.result = result;
    tell(done);
  }

  std::vector<job_id> list(list_jobs query = {}) {
    auto out = std::vector<job_id>{};
    do {
      auto page = index.list(query);
      REQUIRE(page);
      for (const auto& x : page->jobs)
        out.push_back(x.job);
      query.cursor = page->next;
    } while (!query.cursor.empty());
    return out;
  }

  std::shared_ptr<memory_table> table = std::make_shared<memory_table>();
  history_index index{table};
  caf::timestamp time{1'700'000'000s};
  uint64_t sequence = 0;
  uint64_t epoch = 1;
};

} // namespace

TEST_CASE("a job is the fold over its events") {
  auto w = history_world{};
  auto id = w.submit();
  auto started = run_started{id, 0, "r1", "boot", "nonce"};
  w.tell(started);
  auto step = stage{};
  step.name = "install_package";
  w.tell(run_progressed{id, 0, step});
  step.finished = true;
  step.exit_code = 100;
  w.tell(run_progressed{id, 0, step});
  auto got = w.index.find(id);
  REQUIRE(got);
  CHECK(got->state == job_state::running);
  CHECK(got->version == w.sequence);
  REQUIRE(got->runs.at(0).stages.size() == 1);
  CHECK(got->runs[0].stages[0].exit_code == 100);
  auto done = run_finished{};
  done.job = id;
  done.why = reason::env_lost;
  done.result = verdict::error;
  done.final = false;
  w.tell(done);
  CHECK(w.index.find(id)->state == job_state::queued);
  w.tell(run_started{id, 1, "r2", "boot", "nonce"});
  done.run_id = 1;
  done.why = reason::install_failed;
  done.result = verdict::fail;
  done.final = true;
  w.tell(done);
  got = w.index.find(id);
  CHECK(got->state == job_state::finished);
  CHECK(got->result == verdict::fail);
  CHECK(got->runs.size() == 2);
  CHECK(got->runs[0].why == reason::env_lost);
}

TEST_CASE("an unknown job is not_found") {
  auto w = history_world{};
  CHECK(explain(w.index.find(new_job_id()).error()).code == ec::not_found);
}

TEST_CASE("events of an older ledger do not count once a newer one has opened") {
  auto w = history_world{};
  auto id = w.submit();
  w.tell(make_event(ledger_opened{7}, w.time), 7);
  w.tell(job_closed{id, verdict::canceled, reason::canceled, ""});
  CHECK(w.index.find(id)->state == job_state::queued);
  w.epoch = 7;
  w.tell(job_closed{id, verdict::error, reason::deadline_exceeded, ""});
  CHECK(w.index.find(id)->result == verdict::error);
}

TEST_CASE("events that were applied before change nothing, also after a restart") {
  auto w = history_world{};
  auto id = w.submit();
  auto again = history_index{w.table};
  REQUIRE(!again.open());
  CHECK(again.mark().sequence == w.sequence);
  auto batch = event_batch{
    {{w.sequence, 1, w.time, make_event(job_closed{id, verdict::pass, reason::none, ""}, w.time)}},
    w.sequence + 1,
    true};
  CHECK(again.apply(batch)->empty());
  CHECK(again.find(id)->state == job_state::queued);
}

TEST_CASE("live jobs come in order of ids, page by page, without finished ones") {
  auto w = history_world{};
  auto live = std::vector<job_id>{};
  for (auto i = 0; i < 300; ++i) {
    auto id = w.submit();
    if (i % 100 == 7)
      live.push_back(id);
    else
      w.finish(id, verdict::pass);
  }
  w.tell(run_started{live[1], 0, "r1", "b", "n"});
  w.tell(run_progressed{live[1], 0, {}});
  auto query = read_live_jobs{};
  query.max_jobs = 2;
  auto page = w.index.live(query);
  REQUIRE(page);
  REQUIRE(page->jobs.size() == 2);
  CHECK(page->jobs[0].job == live[0]);
  CHECK(page->jobs[1].job == live[1]);
  CHECK(page->jobs[1].events.size() == 2); // no progress
  query.after = live[1];
  page = w.index.live(query);
  REQUIRE(page->jobs.size() == 1);
  CHECK(page->jobs[0].job == live[2]);
  query.after = live[2];
  CHECK(w.index.live(query)->jobs.empty());
}

TEST_CASE("lists come newest first, by every filter, page by page") {
  auto w = history_world{};
  auto all = std::vector<job_id>{};
  for (auto i = 0; i < 30; ++i) {
    auto what = ledger_world::job(i % 2 ? "q1" : "q2");
    what.subject = i % 3 ? "bash" : "bash-doc";
    what.owner = i % 5 ? "ann" : "bob";
    what.tags = {{"dist", i % 7 ? "debian" : "almalinux"}};
    all.push_back(w.submit(what));
    if (i < 20)
      w.finish(all.back(), i % 4 ? verdict::pass : verdict::fail);
  }
  auto expected = [&](auto keep) {
    auto out = std::vector<job_id>{};
    for (auto i = 29; i >= 0; --i)
      if (keep(i))
        out.push_back(all[static_cast<size_t>(i)]);
    return out;
  };
  auto query = list_jobs{};
  query.limit = 4;
  CHECK(w.list(query) == expected([](int) { return true; }));
  query.subject = "bash";
  CHECK(w.list(query) == expected([](int i) { return i % 3 != 0; }));
  query.queue = "q1";
  CHECK(w.list(query) == expected([](int i) { return i % 3 != 0 && i % 2 == 1; }));
  query = list_jobs{};
  query.result = verdict::fail;
  CHECK(w.list(query) == expected([](int i) { return i < 20 && i % 4 == 0; }));
  query = list_jobs{};
  query.state = job_state::queued;
  query.limit = 3;
  CHECK(w.list(query) == expected([](int i) { return i >= 20; }));
  query.state = job_state::finished;
  CHECK(w.list(query) == expected([](int i) { return i < 20; }));
  query = list_jobs{};
  query.owner = "bob";
  query.tags = {{"dist", "debian"}};
  CHECK(w.list(query) == expected([](int i) { return i % 5 == 0 && i % 7 != 0; }));
}

TEST_CASE("a page is exact: the last one has no next, runs come without stages") {
  auto w = history_world{};
  w.finish(w.submit(), verdict::pass);
  w.finish(w.submit(), verdict::pass);
  auto query = list_jobs{};
  query.limit = 2;
  auto page = w.index.list(query);
  CHECK(page->jobs.size() == 2);
  CHECK(page->next.empty());
  CHECK(page->jobs[0].runs.size() == 1);
}

TEST_CASE("a cursor that no page gave and a limit out of range are refused") {
  auto w = history_world{};
  auto query = list_jobs{};
  query.cursor = "x";
  CHECK(explain(w.index.list(query).error()).place == "cursor");
  query.cursor.clear();
  query.limit = 0;
  CHECK(explain(w.index.list(query).error()).place == "limit");
}

TEST_CASE("retention forgets the oldest finished jobs and never an unfinished one") {
  auto w = history_world{};
  auto stays = w.submit();
  auto ids = std::vector<job_id>{};
  for (auto i = 0; i < 10; ++i) {
    ids.push_back(w.submit());
    w.time += 1h;
    w.finish(ids.back(), verdict::pass);
  }
  CHECK(w.index.mark().finished == 10);

  SECTION("by age") {
    CHECK(*w.index.retire(w.time - 4h, 1000, 100) == 5);
    CHECK(w.index.find(stays));
    CHECK(!w.index.find(ids[4]));
    CHECK(w.index.find(ids[5]));
    CHECK(*w.index.retire(w.time - 4h, 1000, 100) == 0);
  }
  SECTION("by number, in small steps") {
    for (auto i = 0; i < 12; ++i)
      REQUIRE(w.index.retire(caf::timestamp{}, 3, 2));
    CHECK(w.index.mark().finished == 3);
    CHECK(!w.index.find(ids[6]));
    CHECK(w.index.find(ids[7]));
    CHECK(w.list().size() == 4);
    auto query = list_jobs{};
    query.subject = "hello";
    CHECK(w.list(query).size() == 4);
  }
}
