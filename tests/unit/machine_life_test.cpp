/// What each sign says of a machine's life, by hand. Source: spec/machines.md 2.5, 2.8, 2.9.
#include "tests/support/machine_script.hpp"

using namespace troupe;
using namespace troupe::tests;

namespace {

constexpr auto nine = that_morning + 1h;

machine_seen worker_sign(machine_sign kind, caf::timestamp at) {
  auto out = sign(kind, {}, at);
  out.state.clear();
  out.at = at;
  return out;
}

} // namespace

TEST_CASE("a run makes a machine busy, then idle", "[unit][machines]") {
  auto w = machine_world{};
  w.tell(sign(machine_sign::running, "a", nine));
  auto x = w.view(nine + 1min);
  CHECK(x.datacenter == "mdc1");
  CHECK(x.machine == "t-linux64-ms-100");
  CHECK(x.provisioner == "releng-hardware");
  CHECK(x.worker_types == std::vector<std::string>{"gecko-t-linux-talos"});
  CHECK(x.state == machine_state::busy);
  CHECK(x.lastseen == nine);
  CHECK(x.laststatus == "running_unresolved");
  CHECK(x.lasttaskid == "a");
  CHECK_FALSE(x.overdue);
  w.tell(sign(machine_sign::completed, "a", nine, 10min));
  x = w.view(nine + 11min);
  CHECK(x.state == machine_state::idle);
  CHECK(x.firstseen == nine);
  CHECK(x.lastseen == nine + 10min);
  CHECK(x.laststatus == "completed_completed");
  CHECK(x.success_rate == 1.0);
  REQUIRE(x.recent.size() == 1);
  CHECK(x.recent[0].state == "completed");
  CHECK(x.recent[0].started == nine);
  CHECK(x.recent[0].resolved == nine + 10min);
}

TEST_CASE("signs in reverse and twice change nothing", "[unit][machines]") {
  auto w = machine_world{};
  for (auto i = 0; i < 2; ++i) {
    w.tell(sign(machine_sign::completed, "a", nine, 10min));
    w.tell(sign(machine_sign::running, "a", nine));
  }
  auto x = w.view(nine + 11min);
  CHECK(x.state == machine_state::idle);
  CHECK(x.lastseen == nine + 10min);
  CHECK(x.counts.running == 1);
  CHECK(x.counts.completed == 1);
  CHECK(w.table->counters(nine).duplicates == 2);
}

TEST_CASE("an expired claim is no sign of life", "[unit][machines]") {
  auto w = machine_world{};
  w.tell(sign(machine_sign::running, "a", nine));
  w.tell(sign(machine_sign::exception, "a", nine, 1208s, "claim-expired"));
  auto x = w.view(nine + 1h);
  CHECK(x.lastseen == nine);
  CHECK(x.lastmessage == nine + 1208s);
  CHECK(x.state == machine_state::lost);
  CHECK(x.laststatus == "exception_claim-expired");
  CHECK(x.counts.exception["claim-expired"] == 1);
  CHECK(x.consecutive_exceptions == 1);
  // It is back with the next run.
  w.tell(sign(machine_sign::running, "b", nine + 2h));
  CHECK(w.view(nine + 2h).state == machine_state::busy);
}

TEST_CASE("a machine that works on is not lost with an old claim", "[unit][machines]") {
  auto w = machine_world{};
  w.tell(sign(machine_sign::running, "a", nine));
  w.tell(sign(machine_sign::running, "b", nine + 10min));
  w.tell(sign(machine_sign::exception, "a", nine, 1208s, "claim-expired"));
  CHECK(w.view(nine + 25min).state == machine_state::busy);
}

TEST_CASE("only an expired claim was heard of", "[unit][machines]") {
  auto w = machine_world{};
  w.tell(sign(machine_sign::exception, "a", nine, 1208s, "claim-expired"));
  auto x = w.view(nine + 1h);
  CHECK(x.lastseen == never);
  CHECK(x.state == machine_state::lost);
  CHECK(w.table->sightings({}).machines.empty());
}

TEST_CASE("what a worker reports is a sign of life", "[unit][machines]") {
  auto reason =
    GENERATE("malformed-payload", "internal-error", "resource-unavailable", "intermittent-task");
  auto w = machine_world{};
  w.tell(sign(machine_sign::running, "a", nine));
  w.tell(sign(machine_sign::exception, "a", nine, 5min, reason));
  auto x = w.view(nine + 6min);
  CHECK(x.lastseen == nine + 5min);
  CHECK(x.state == machine_state::idle);
  CHECK(x.consecutive_exceptions == 1);
}

TEST_CASE("what the queue decides says nothing of life", "[unit][machines]") {
  auto reason = GENERATE("deadline-exceeded", "canceled");
  auto w = machine_world{};
  w.tell(sign(machine_sign::running, "a", nine));
  w.tell(sign(machine_sign::exception, "a", nine, 5min, reason));
  auto x = w.view(nine + 6min);
  CHECK(x.lastseen == nine);
  CHECK(x.state == machine_state::idle);
  CHECK(x.counts.exception[reason] == 1);
  CHECK(x.consecutive_exceptions == 0);
  CHECK_FALSE(x.success_rate);
}

TEST_CASE("a reason of tomorrow is counted", "[unit][machines]") {
  auto w = machine_world{};
  w.tell(sign(machine_sign::running, "a", nine));
  w.tell(sign(machine_sign::exception, "a", nine, 5min, std::string(500, 'x')));
  auto x = w.view(nine + 6min);
  CHECK(x.lastseen == nine);
  REQUIRE(x.counts.exception.size() == 1);
  CHECK(x.counts.exception.begin()->first == std::string(machine_word_size, 'x'));
}

TEST_CASE("a worker goes down and comes up", "[unit][machines]") {
  auto w = machine_world{};
  w.tell(sign(machine_sign::running, "a", nine));
  w.tell(sign(machine_sign::exception, "a", nine, 5min, "worker-shutdown"));
  auto x = w.view(nine + 6min);
  CHECK(x.state == machine_state::shutdown);
  CHECK(x.lastseen == nine + 5min);
  w.tell(worker_sign(machine_sign::worker_running, nine + 1h));
  CHECK(w.view(nine + 1h).state == machine_state::idle);
  auto down = GENERATE(machine_sign::worker_stopped, machine_sign::worker_removed);
  w.tell(worker_sign(down, nine + 2h));
  x = w.view(nine + 2h);
  CHECK(x.state == machine_state::shutdown);
  CHECK(x.lastseen == nine + 1h);
  // Its claim expires afterwards: that it went is known.
  w.tell(sign(machine_sign::running, "b", nine + 90min));
  w.tell(sign(machine_sign::exception, "b", nine + 90min, 1208s, "claim-expired"));
  CHECK(w.view(nine + 3h).state == machine_state::shutdown);
}

TEST_CASE("a run is overdue, then suspect", "[unit][machines]") {
  auto w = machine_world{};
  w.tell(sign(machine_sign::running, "a", nine));
  auto x = w.view(nine + 21min);
  CHECK(x.state == machine_state::busy);
  CHECK(x.overdue);
  CHECK_FALSE(x.suspect);
  CHECK_FALSE(x.stale);
  x = w.view(nine + 25h);
  CHECK(x.suspect);
  CHECK(x.stale);
}

TEST_CASE("runs in a row are counted by their begin", "[unit][machines]") {
  auto w = machine_world{};
  auto tell = [&](machine_sign kind, int hour, const char* reason = "") {
    w.tell(sign(kind, "t" + std::to_string(hour), nine + hour * 1h, 5min, reason));
  };
  tell(machine_sign::exception, 5, "internal-error");
  tell(machine_sign::exception, 3, "internal-error");
  tell(machine_sign::exception, 4, "canceled");
  tell(machine_sign::completed, 1);
  tell(machine_sign::exception, 2, "claim-expired");
  auto x = w.view(nine + 6h);
  CHECK(x.consecutive_exceptions == 3);
  CHECK(x.consecutive_failures == 0);
  CHECK(x.success_rate == 0.25);
  tell(machine_sign::failed, 7);
  tell(machine_sign::failed, 6);
  x = w.view(nine + 8h);
  CHECK(x.consecutive_exceptions == 0);
  CHECK(x.consecutive_failures == 2);
  tell(machine_sign::completed, 8);
  CHECK(w.view(nine + 9h).consecutive_failures == 0);
}

TEST_CASE("history answers in pages, the latest first", "[unit][machines]") {
  auto w = machine_world{};
  for (auto i = 0; i < 45; ++i) {
    w.tell(sign(machine_sign::running, "t" + std::to_string(i), nine + i * 1h));
    w.tell(sign(machine_sign::completed, "t" + std::to_string(i), nine + i * 1h, 1min));
  }
  CHECK(w.view(nine).recent.size() == recent_machine_tasks);
  auto query = list_machine_tasks{"mdc1:t-linux64-ms-100", {}, 20};
  for (auto expected = 44; expected >= 0;) {
    auto page = w.table->tasks(query);
    REQUIRE(page);
    for (const auto& x : page->tasks)
      CHECK(x.task == "t" + std::to_string(expected--));
    CHECK(page->next.empty() == (expected < 0));
    query.after = page->next;
  }
  query.after = "x";
  auto refused = w.table->tasks(query);
  REQUIRE_FALSE(refused);
  CHECK(explain(refused.error()).place == "continuationToken");
}

TEST_CASE("an import keeps what is newer, unless it is forced", "[unit][machines]") {
  auto w = machine_world{};
  auto x = sign(machine_sign::imported, "i", nine);
  x.state = "failed_failed";
  x.started = x.taken_until = x.deadline = never;
  w.tell(x);
  auto seen = w.view(nine + 1min);
  CHECK(seen.state == machine_state::unknown);
  CHECK(seen.laststatus == "failed_failed");
  CHECK(seen.lastseen == nine);
  w.tell(sign(machine_sign::running, "a", nine + 1h));
  x.at = nine + 10min;
  w.tell(x);
  CHECK(w.view(nine + 2h).lastseen == nine + 1h);
  CHECK(w.view(nine + 2h).lasttaskid == "a");
  x.kind = machine_sign::forced_import;
  w.tell(x);
  CHECK(w.view(nine + 2h).lastseen == nine + 10min);
  CHECK(w.view(nine + 2h).lasttaskid == "i");
}

TEST_CASE("times far off are kept", "[unit][machines]") {
  CHECK(parse_machine_time("3026-01-01T00:00:00.000Z") == far_future);
  CHECK(parse_machine_time("2018-11-08T08:47:50.939514"));
  CHECK(parse_machine_time("2018-11-08T08:47:50") == that_morning + 47min + 50s);
  CHECK_FALSE(parse_machine_time("3026-13-01T00:00:00Z"));
  CHECK_FALSE(parse_machine_time("soon"));
  auto w = machine_world{};
  w.tell(sign(machine_sign::completed, "a", nine, 1min));
  auto x = sign(machine_sign::running, "b", far_future - 24h);
  x.taken_until = x.deadline = far_future;
  w.tell(x);
  CHECK(w.view(nine).state == machine_state::busy);
  CHECK_FALSE(w.view(far_future).overdue);
  w.restart();
  CHECK(w.view(nine).lastseen == far_future - 24h);
}

TEST_CASE("quarantine is a mark beside the state", "[unit][machines]") {
  auto w = machine_world{};
  w.tell(sign(machine_sign::running, "a", nine));
  w.tell(
    machine_quarantined{"mdc1:t-linux64-ms-100", nine, nine + 24h, std::string(9000, 'y'), "ann"});
  auto x = w.view(nine + 1h);
  CHECK(x.quarantined);
  CHECK(x.state == machine_state::busy);
  REQUIRE(x.quarantine_details.size() == 1);
  CHECK(x.quarantine_details[0].why.size() == quarantine_text_size);
  CHECK_FALSE(w.view(nine + 25h).quarantined);
  // What is imported does not lift it; a time that has passed does.
  auto other = sign(machine_sign::imported, {}, nine + 1h);
  w.tell(other);
  CHECK(w.view(nine + 1h).quarantined);
  w.tell(machine_quarantined{"mdc1:t-linux64-ms-100", nine + 2h, nine, "fixed", "bob"});
  x = w.view(nine + 2h);
  CHECK_FALSE(x.quarantined);
  CHECK(x.quarantine_details.size() == 2);
  CHECK(x.quarantine_details[0].by == "bob");
}

TEST_CASE("what should exist and was never seen is missing", "[unit][machines]") {
  auto w = machine_world{};
  w.tell(machine_inventory{{"mdc1:t-linux64-ms-100", "mdc1:other"}, {}, nine, "ann"});
  w.tell(sign(machine_sign::running, "a", nine));
  auto query = list_machines{};
  CHECK(w.table->list(query, nine)->machines.size() == 1);
  query.state = machine_filter::missing;
  auto page = w.table->list(query, nine);
  REQUIRE(page->machines.size() == 1);
  CHECK(page->machines[0].id == "mdc1:other");
  CHECK_FALSE(w.table->find("mdc1:other", nine));
  CHECK(w.table->summary({}, nine).total.missing == 1);
  CHECK(w.table->summary({}, nine).total.total == 1);
  w.tell(machine_inventory{{}, {"mdc1:other", "mdc1:t-linux64-ms-100"}, nine, "ann"});
  CHECK(w.table->list(query, nine)->machines.empty());
  CHECK_FALSE(w.view(nine).expected);
}

TEST_CASE("a forgotten machine comes back with new signs only", "[unit][machines]") {
  auto w = machine_world{};
  w.tell(sign(machine_sign::completed, "a", nine, 1min));
  w.tell(machine_forgotten{"mdc1:t-linux64-ms-100", nine + 1h, "ann"});
  CHECK_FALSE(w.table->find("mdc1:t-linux64-ms-100", nine));
  w.tell(sign(machine_sign::completed, "a", nine, 1min));
  CHECK_FALSE(w.table->find("mdc1:t-linux64-ms-100", nine));
  w.restart();
  w.tell(sign(machine_sign::running, "b", nine + 2h));
  CHECK(w.view(nine + 2h).counts.completed == 0);
  CHECK(w.view(nine + 2h).firstseen == nine + 2h);
}

TEST_CASE("pages by age go through all machines once", "[unit][machines]") {
  auto order = GENERATE(machine_order::lastseen, machine_order::newest, machine_order::id);
  auto w = machine_world{};
  for (auto i = 0; i < 57; ++i) {
    auto x = sign(machine_sign::running, "t", nine + (i * 7 % 20) * 1min);
    x.machine = "dc" + std::to_string(i % 3) + ":h" + std::to_string(i);
    w.tell(x);
  }
  auto query = list_machines{};
  query.order = order;
  query.limit = 10;
  auto ids = std::vector<std::string>{};
  auto times = std::vector<caf::timestamp>{};
  do {
    auto page = w.table->list(query, nine);
    REQUIRE(page);
    for (const auto& x : page->machines) {
      ids.push_back(x.id);
      times.push_back(x.lastseen);
    }
    query.after = page->next;
  } while (!query.after.empty());
  CHECK(ids.size() == 57);
  if (order == machine_order::lastseen)
    CHECK(std::is_sorted(times.begin(), times.end()));
  if (order == machine_order::newest)
    CHECK(std::is_sorted(times.rbegin(), times.rend()));
  std::sort(ids.begin(), ids.end());
  CHECK(std::adjacent_find(ids.begin(), ids.end()) == ids.end());
  query.after = "nonsense";
  if (order != machine_order::id)
    CHECK_FALSE(w.table->list(query, nine));
  query.after.clear();
  query.limit = 1000;
  query.datacenter = "dc1";
  CHECK(w.table->list(query, nine)->machines.size() == 19);
  query.worker_type = "no-such";
  CHECK(w.table->list(query, nine)->machines.empty());
}

TEST_CASE("runs of our own are signs if that is wanted", "[unit][machines]") {
  auto own = GENERATE(false, true);
  auto limits = machine_limits{};
  limits.own_runners = own;
  auto w = machine_world{limits};
  auto started = run_started{};
  started.job = new_job_id();
  started.runner = "node-1-docker";
  started.queue = "docker-x86_64-small";
  auto tell = [&](const auto& x, caf::timestamp at) {
    auto batch = event_batch{{w.next(make_event(x, at))}, w.sequence + 1, true};
    REQUIRE_FALSE(w.table->apply(batch));
  };
  tell(started, nine);
  auto finished = run_finished{};
  finished.job = started.job;
  finished.runner = started.runner;
  finished.queue = started.queue;
  finished.started_at = nine;
  finished.result = verdict::error;
  finished.why = reason::claim_expired;
  auto id = std::string{"troupe:node-1-docker"};
  if (!own) {
    CHECK_FALSE(w.table->find(id, nine));
    return;
  }
  CHECK(w.view(nine, id).state == machine_state::busy);
  CHECK(w.view(nine, id).lasttaskid == to_string(started.job));
  tell(finished, nine + 1h);
  auto x = w.view(nine + 2h, id);
  CHECK(x.state == machine_state::lost);
  CHECK(x.lastseen == nine);
  CHECK(x.counts.exception["claim-expired"] == 1);
}

TEST_CASE("machines not heard of for long are retired", "[unit][machines]") {
  auto w = machine_world{};
  for (auto i = 0; i < 5; ++i) {
    auto x = sign(machine_sign::completed, "t", nine + i * 24h, 1min);
    x.machine = "dc:h" + std::to_string(i);
    w.tell(x);
  }
  w.tell(machine_inventory{{"dc:h1"}, {}, nine, "ann"});
  auto rounds = 0;
  for (auto more = true; more; ++rounds) {
    auto got = w.table->retire(nine + 3 * 24h, 2);
    REQUIRE(got);
    more = *got;
  }
  CHECK(rounds == 3);
  auto left = w.table->sightings({});
  REQUIRE(left.machines.size() == 3);
  CHECK(left.machines[0].id == "dc:h1");
  CHECK_FALSE(w.table->tasks({"dc:h0", {}, 10}));
  auto known = w.stored();
  w.restart();
  CHECK(w.table->sightings({}).machines.size() == 3);
  CHECK(w.stored() == known);
}
