#include "tests/support/jobs_system.hpp"

using namespace troupe;
using namespace troupe::tests;

namespace {

get_job watch(const job_id& id, uint64_t newer_than, caf::timespan wait) {
  auto out = get_job{};
  out.job = id;
  out.newer_than = newer_than;
  out.wait = wait;
  return out;
}

} // namespace

TEST_CASE_METHOD(jobs_system,
                 "an answer includes everything that was durable before the question") {
  start();
  for (auto i = 0; i < 50; ++i) {
    auto id = submit();
    CHECK(view(id).job == id);
  }
}

TEST_CASE_METHOD(jobs_system,
                 "a watch is answered by the next change, or by what is when its wait ends") {
  start();
  auto id = submit();
  auto version = view(id).version;
  auto change = ask_later<job_view>(history, watch(id, version, 20s));
  CHECK_FALSE(change.done());
  auto runs = claim("r1");
  REQUIRE(change.done());
  CHECK(change.get().state == job_state::running);
  auto quiet = ask_later<job_view>(history, watch(id, change.get().version, 20s));
  run_for(19s);
  CHECK_FALSE(quiet.done());
  run_for(2s);
  CHECK(quiet.get().version == change.get().version);
}

TEST_CASE_METHOD(jobs_system, "a finished job is answered at once: it does not change any more") {
  start();
  auto id = submit();
  finish("r1", claim("r1").at(0));
  auto version = view(id).version;
  CHECK(ask_later<job_view>(history, watch(id, version, 20s)).done());
}

TEST_CASE_METHOD(jobs_system, "two thousand watch at the same time") {
  start();
  auto id = submit();
  auto version = view(id).version;
  auto all = std::vector<pending<job_view>>{};
  for (auto i = 0; i < 2000; ++i)
    all.push_back(ask_later<job_view>(history, watch(id, version, 20s)));
  claim("r1");
  auto answered = 0;
  for (const auto& x : all)
    answered += x.done() ? 1 : 0;
  CHECK(answered == 2000);
}

TEST_CASE_METHOD(jobs_system, "a history that starts late catches up before it answers") {
  start();
  auto ids = std::vector<job_id>{};
  for (auto i = 0; i < 20; ++i)
    ids.push_back(submit());
  table = std::make_shared<memory_table>();
  restart();
  CHECK(view(ids.back()).state == job_state::queued);
  CHECK(claim("r1", 100).size() == 20);
}

TEST_CASE_METHOD(jobs_system, "the journal keeps what the history has not applied") {
  start();
  submit();
  run_for(40s);
  auto cursors = ask<cursor_list>(journal, cursors_atom_v);
  REQUIRE(cursors);
  REQUIRE(cursors->cursors.size() == 1);
  CHECK(cursors->cursors[0].name == "history");
  CHECK(cursors->cursors[0].sequence == 2); // the barrier and the job
}

TEST_CASE_METHOD(jobs_system, "without a journal the history says unavailable") {
  start();
  auto id = submit();
  directory.assign("journal", nullptr);
  CHECK(explain(ask<job_view>(history, watch(id, 0, 0s)).error()).code == ec::unavailable);
}

TEST_CASE_METHOD(jobs_system, "a replica asks the history that it stands in for what it lacks") {
  start();
  auto ids = std::vector<job_id>{};
  for (auto i = 0; i < 2; ++i) {
    ids.push_back(submit());
    finish("r1", claim("r1").at(0));
  }
  auto options = history_options{};
  options.consumer = "history@gateway-1";
  options.elder = "far/history";
  options.keep_jobs = 1;
  options.retire_interval = 1s;
  auto replica = sys.spawn(job_history, &directory, std::make_shared<memory_table>(), options);
  stop_at_end(caf::actor_cast<caf::actor>(replica));
  run_for(5s);
  auto page = ask<job_page>(replica, list_jobs{});
  REQUIRE(page);
  REQUIRE(page->jobs.size() == 1);
  CHECK(page->jobs[0].job == ids[1]);
  auto get = [&](const job_id& id) { return ask<job_view>(replica, watch(id, 0, 0s)); };
  CHECK(get(ids[1]));
  // Nobody can say now whether there was such a job.
  CHECK(explain(get(ids[0]).error()).code == ec::unavailable);
  directory.assign("far/history", caf::actor_cast<caf::strong_actor_ptr>(history));
  auto forgotten = get(ids[0]);
  REQUIRE(forgotten);
  CHECK(forgotten->job == ids[0]);
  CHECK(explain(get(new_job_id()).error()).code == ec::not_found);
  directory.assign("far/history", nullptr);
}
