/// Objects with their journal, history and ledger, in simulated time.
#include "actors/objects/objects.hpp"
#include "tests/support/fault_count.hpp"
#include "tests/support/jobs_system.hpp"

#include <catch2/catch.hpp>

#include <set>

using namespace troupe;
using namespace std::chrono_literals;

namespace {

class objects_world : public tests::jobs_system {
public:
  explicit objects_world(objects_options how = {}) : how_{how} {
    start();
    start_objects();
  }
  ~objects_world() {
    directory.assign("objects", nullptr);
    caf::anon_send_exit(maker, caf::exit_reason::user_shutdown);
    sched.run();
  }

  void start_objects() {
    maker = sys.spawn(objects, &directory, rows, how_);
    directory.assign("objects", caf::actor_cast<caf::strong_actor_ptr>(maker));
    run_for(1s);
  }
  /// The actor dies without a word; a new one takes its place.
  void restart_objects() {
    caf::anon_send_exit(maker, caf::exit_reason::kill);
    sched.run();
    start_objects();
  }

  caf::expected<object_view> make(create_object what = {}) {
    return ask<object_view>(maker, std::move(what));
  }
  object_view show(uint64_t id) {
    auto got = ask<object_view>(maker, get_object{id});
    REQUIRE(got);
    return *got;
  }
  std::vector<run_order> take(const std::string& processor, uint32_t most) {
    auto what = claim_of(processor, fresh_nonce(), most);
    what.queues = {std::string{inside_queue}};
    auto got = ask<claimed_runs>(ledger, what);
    REQUIRE(got);
    return got->orders;
  }
  dead_task_page dead(list_dead_tasks query = {}) {
    auto got = ask<dead_task_page>(maker, query);
    REQUIRE(got);
    return *got;
  }
  report_outcome say(const std::string& task, task_report_type type,
                     const std::string& processor = "p1", uint32_t attempt = 0) {
    auto what = task_report{};
    what.task = task;
    what.processor = processor;
    what.type = type;
    what.attempt = attempt;
    auto got = ask<report_answer>(maker, what);
    REQUIRE(got);
    return got->outcome;
  }
  /// Lets every task of an object fail as often as it may.
  void kill_tasks(uint32_t tasks) {
    for (auto attempt = 0U; attempt < how_.max_attempts; ++attempt) {
      auto runs = take("p1", tasks);
      REQUIRE(runs.size() == tasks);
      for (const auto& run : runs)
        finish("p1", run, reason::process_failed);
      run_for(10s);
    }
  }

  std::shared_ptr<memory_table> rows = std::make_shared<memory_table>();
  objects_actor maker;

private:
  objects_options how_;
};

} // namespace

TEST_CASE("an object comes with its tasks, and is completed by them") {
  auto world = objects_world{};
  auto what = create_object{};
  what.name = "lorem";
  what.content = "ipsum";
  auto made = world.make(what);
  REQUIRE(made);
  CHECK(made->tasks.size() == 3);
  CHECK(made->tasks_total == 3);
  auto runs = world.take("p1", 8);
  REQUIRE(runs.size() == 3);
  auto spec = unpack<process_spec>(runs[1].spec);
  REQUIRE(spec);
  CHECK(spec->what == object{made->id, "lorem", "ipsum"});
  CHECK(spec->index == 1);
  CHECK(spec->count == 3);
  CHECK(world.show(made->id).tasks[0].state == task_state::running);
  for (const auto& run : runs)
    CHECK(world.finish("p1", run) == finish_outcome::accepted);
  auto shown = world.show(made->id);
  CHECK(shown.state == object_state::completed);
  CHECK(shown.tasks_done == 3);
  CHECK(shown.name == "lorem");
  CHECK(shown.completed_at >= shown.created_at);
  CHECK(shown.tasks[2].processor == "p1");
  CHECK(shown.tasks[2].attempt == 1);
  CHECK(shown.tasks[2].id == to_task_id(runs[2].job));
}

TEST_CASE("the object and its tasks are one append") {
  auto world = objects_world{};
  auto before = world.ask<journal_status>(world.journal, status_atom_v)->next;
  REQUIRE(world.make());
  auto events = world.ask<event_batch>(world.journal, read_events{before});
  REQUIRE(events);
  REQUIRE(events->events.size() == 4);
  CHECK(events->events[0].what.topic == object_created::topic);
  CHECK(events->events[3].what.topic == job_queued::topic);
}

TEST_CASE("an absent name and content become words") {
  auto world = objects_world{};
  auto made = world.make();
  REQUIRE(made);
  CHECK(!made->name.empty());
  CHECK(made->content.find(' ') != std::string::npos);
}

TEST_CASE("the same request again is answered with the first one's object") {
  auto world = objects_world{};
  auto what = create_object{};
  what.request_id = "http:me:1";
  what.request_digest = 7;
  auto first = world.make(what);
  auto again = world.make(what);
  REQUIRE((first && again));
  CHECK(again->id == first->id);
  CHECK(again->content == first->content);
  CHECK(world.ask<object_page>(world.maker, list_objects{})->objects.size() == 1);
  what.request_digest = 8;
  auto other = world.make(what);
  REQUIRE(!other);
  CHECK(explain(other.error()).code == ec::conflict);
}

TEST_CASE("no id is given out twice, whoever dies when") {
  auto how = objects_options{};
  how.id_block = 16;
  how.distribution = 1;
  auto world = objects_world{how};
  auto ids = std::set<uint64_t>{};
  for (auto life = 0; life < 6; ++life) {
    for (auto i = 0; i < 23; ++i) {
      auto made = world.make();
      REQUIRE(made);
      CHECK(ids.insert(made->id).second);
    }
    if (life % 2 == 0)
      world.rows = std::make_shared<memory_table>(); // and is rebuilt
    world.restart_objects();
  }
  CHECK(ids.size() == 6 * 23);
  CHECK(*ids.begin() >= first_own_id);
}

/// Accepts every job and stores none: ids alone are tested.
job_ledger_actor::behavior_type open_ledger(job_ledger_actor::pointer, int) {
  auto refuse = fault(ec::unsupported, "not asked by the objects");
  return {
    [=](const submit_job&) -> caf::result<job_accepted> { return refuse; },
    [](const submit_jobs& x) {
      auto out = jobs_accepted{};
      for (auto i = size_t{0}; i < x.jobs.size(); ++i)
        out.jobs.push_back({new_job_id(), false});
      return out;
    },
    [=](const cancel_job&) -> caf::result<job_status> { return refuse; },
    [=](const retry_job&) -> caf::result<job_accepted> { return refuse; },
    [=](const claim_runs&) -> caf::result<claimed_runs> { return refuse; },
    [=](const renew_leases&) -> caf::result<lease_states> { return refuse; },
    [=](const finish_runs&) -> caf::result<finish_outcomes> { return refuse; },
    [=](const report_stages&) -> caf::result<uint32_t> { return refuse; },
    [=](const outside_report&) -> caf::result<report_answer> { return refuse; },
    [=](const runner_status&) -> caf::result<uint32_t> { return refuse; },
    [=](runners_atom) -> caf::result<runner_list> { return refuse; },
    [=](queues_atom) -> caf::result<queue_list> { return refuse; },
    [=](drain_atom) -> caf::result<uint32_t> { return refuse; },
  };
}

// Source: spec/pipeline.md 3.6; 10^6 objects with --long.
TEST_CASE("acceptance 11: ids are unique over many objects and deaths") {
  auto world = objects_world{};
  auto ledger = world.sys.spawn(open_ledger, 0);
  world.stop_at_end(caf::actor_cast<caf::actor>(ledger));
  world.directory.assign("jobs", caf::actor_cast<caf::strong_actor_ptr>(ledger));
  auto all = tests::fault_count(20'000, 1'000'000);
  auto ids = std::vector<bool>{};
  for (auto i = 1U; i <= all; ++i) {
    auto made = world.make();
    if (!made)
      FAIL(one_line(made.error()));
    if (made->id >= ids.size())
      ids.resize(made->id + 1);
    if (ids[made->id])
      FAIL("twice: " << made->id);
    ids[made->id] = true;
    if (i % (all / 7) == 0) // amid a block of ids
      world.restart_objects();
  }
}

TEST_CASE("an older maker cannot reserve ids any more") {
  auto how = objects_options{};
  how.id_block = 16;
  auto world = objects_world{how};
  auto old = world.maker;
  world.start_objects();
  auto ids = std::set<uint64_t>{};
  for (auto i = 0; i < 64; ++i) {
    auto made = world.ask<object_view>(old, create_object{});
    if (!made)
      break;
    CHECK(ids.insert(made->id).second);
  }
  CHECK(ids.size() <= 32);
  for (auto i = 0; i < 64; ++i)
    CHECK(ids.insert(world.make()->id).second);
}

TEST_CASE("an outside producer's id is kept while it is free") {
  auto world = objects_world{};
  auto what = create_object{};
  what.given_id = 837;
  CHECK(world.make(what)->id == 837);
  auto second = world.make(what);
  REQUIRE(second);
  CHECK(second->id >= first_own_id);
  CHECK(world.show(second->id).given_id == 837U);
  what.given_id = first_own_id;
  CHECK(world.make(what)->id > first_own_id);
}

TEST_CASE("a task that fails three times is dead, and can be retried") {
  auto world = objects_world{};
  auto made = world.make();
  REQUIRE(made);
  world.kill_tasks(3);
  CHECK(world.show(made->id).state == object_state::failed);
  auto dead = world.dead().tasks;
  REQUIRE(dead.size() == 3);
  CHECK(dead[0].attempt == 3);
  CHECK(dead[0].error == "process-failed");
  auto again = world.ask<changed_tasks>(world.maker, retry_dead_tasks{{dead[1].id, "none"}, "me"});
  REQUIRE(again);
  REQUIRE(again->tasks == std::vector<std::string>{dead[1].id});
  CHECK(world.dead().tasks.size() == 2);
  auto runs = world.take("p1", 8);
  REQUIRE(runs.size() == 1);
  CHECK(to_task_id(runs[0].job) == again->now.at(0));
  world.finish("p1", runs[0]);
  auto shown = world.show(made->id);
  CHECK(shown.tasks.size() == 3);
  CHECK(shown.tasks[1].state == task_state::done);
  // It is no longer dead: nothing to do.
  CHECK(world.ask<changed_tasks>(world.maker, retry_dead_tasks{{dead[1].id}, "me"})->tasks.empty());
}

TEST_CASE("dead tasks come in pages and can be purged") {
  auto world = objects_world{};
  auto made = world.make();
  REQUIRE(made);
  world.kill_tasks(3);
  auto page = world.dead({{}, 2});
  REQUIRE(page.tasks.size() == 2);
  auto rest = world.dead({page.next, 2});
  CHECK(rest.tasks.size() == 1);
  CHECK(rest.next.empty());
  auto gone = world.ask<changed_tasks>(world.maker, purge_dead_tasks{{page.tasks[0].id}, "me"});
  REQUIRE(gone);
  CHECK(gone->tasks.size() == 1);
  CHECK(world.dead().tasks.size() == 2);
  CHECK(world.show(made->id).tasks[0].state == task_state::purged);
  CHECK(world.ask<changed_tasks>(world.maker, purge_dead_tasks{{}, "me"})->tasks.size() == 2);
  CHECK(world.dead().tasks.empty());
}

TEST_CASE("rebuilt objects are the same") {
  auto world = objects_world{};
  auto first = world.make();
  auto second = world.make();
  world.kill_tasks(6);
  auto dead = world.dead().tasks;
  REQUIRE(world.ask<changed_tasks>(world.maker, retry_dead_tasks{{dead[0].id}, "me"}));
  REQUIRE(world.ask<changed_tasks>(world.maker, purge_dead_tasks{{dead[4].id}, "me"}));
  for (const auto& run : world.take("p2", 8))
    world.finish("p2", run);
  auto before = pack(world.show(first->id)) + pack(world.show(second->id)) + pack(world.dead());
  world.rows = std::make_shared<memory_table>();
  world.restart_objects();
  CHECK(pack(world.show(first->id)) + pack(world.show(second->id)) + pack(world.dead()) == before);
}

TEST_CASE("objects are listed with the largest id first") {
  auto world = objects_world{};
  for (auto i = 0; i < 5; ++i)
    REQUIRE(world.make());
  auto page = world.ask<object_page>(world.maker, list_objects{UINT64_MAX, 3});
  REQUIRE(page);
  REQUIRE(page->objects.size() == 3);
  CHECK(page->objects[0].id == page->objects[1].id + 1);
  CHECK(page->objects[0].tasks.empty());
  REQUIRE(page->next);
  auto rest = world.ask<object_page>(world.maker, list_objects{*page->next, 3});
  CHECK(rest->objects.size() == 2);
  CHECK(!rest->next);
}

TEST_CASE("outside processors report through the objects") {
  auto how = objects_options{};
  how.processors = processors_where::outside;
  auto world = objects_world{how};
  auto made = world.make();
  REQUIRE(made);
  CHECK(world.take("p1", 8).empty());
  for (const auto& task : made->tasks) {
    CHECK(world.say(task.id, task_report_type::start) == report_outcome::taken);
    CHECK(world.say(task.id, task_report_type::end) == report_outcome::taken);
    CHECK(world.say(task.id, task_report_type::end) == report_outcome::late);
  }
  CHECK(world.show(made->id).state == object_state::completed);
  CHECK(world.say("no-such-task", task_report_type::end) == report_outcome::unknown);
}

TEST_CASE("a task of an outside distributor keeps its id") {
  auto how = objects_options{};
  how.processors = processors_where::outside;
  auto world = objects_world{how};
  auto what = take_task{};
  what.what = {7, "word", "words"};
  what.task = "9f0c6b0d2f7e4d0c8d0b1a2c3d4e5f60";
  REQUIRE(world.ask<job_accepted>(world.maker, what));
  auto shown = world.show(7);
  CHECK(shown.name == "word");
  REQUIRE(shown.tasks.size() == 1);
  CHECK(shown.tasks[0].id == what.task);
  CHECK(world.say(what.task, task_report_type::start) == report_outcome::taken);
  CHECK(world.say(what.task, task_report_type::end) == report_outcome::taken);
  CHECK(world.show(7).state == object_state::completed);
}

TEST_CASE("old objects are forgotten, open ones are not") {
  auto how = objects_options{};
  how.distribution = 1;
  how.keep_objects = 2;
  auto world = objects_world{how};
  auto open = world.make();
  for (auto i = 0; i < 4; ++i)
    REQUIRE(world.make());
  auto runs = world.take("p1", 8);
  REQUIRE(runs.size() == 5);
  for (auto i = size_t{1}; i < runs.size(); ++i)
    world.finish("p1", runs[i]);
  world.run_for(how.retire_interval + 1s);
  auto left = world.ask<object_page>(world.maker, list_objects{});
  REQUIRE(left);
  CHECK(left->objects.size() == 2);
  CHECK(left->objects.back().id == open->id);
}

TEST_CASE("wrong objects are refused at their place") {
  auto world = objects_world{};
  auto what = create_object{};
  what.name = "two\nlines";
  auto got = world.make(what);
  REQUIRE(!got);
  CHECK(explain(got.error()).place == "name");
  what = {};
  what.content = std::string(65'537, 'x');
  CHECK(explain(world.make(what).error()).code == ec::too_large);
  CHECK(explain(world.ask<object_view>(world.maker, get_object{5}).error()).code == ec::not_found);
}

TEST_CASE("a drained maker takes nothing more") {
  auto world = objects_world{};
  REQUIRE(world.ask<uint32_t>(world.maker, drain_atom_v));
  CHECK(explain(world.make().error()).code == ec::unavailable);
}
