#include "actors/machines/machine_tracker.hpp"
#include "tests/support/jobs_system.hpp"
#include "tests/support/machine_script.hpp"

using namespace troupe;
using namespace troupe::tests;

namespace {

/// Journal and tracker; the journal's clock is the wall's, timers are simulated.
class tracker_system : public jobs_system {
public:
  ~tracker_system() {
    stop_tracker();
  }

  void start_tracker(const std::shared_ptr<projection_table>& where) {
    tracker = sys.spawn(machine_tracker, &directory, where, options);
    sched.run();
  }
  void stop_tracker() {
    if (tracker)
      caf::anon_send_exit(tracker, caf::exit_reason::user_shutdown);
    tracker = nullptr;
    sched.run();
  }

  template <class T>
  void tell(const T& x) {
    auto message = append_events{};
    message.groups.emplace_back().events.push_back(make_event(x, x.at));
    REQUIRE(ask<append_results>(journal, message));
  }
  template <class Reply, class T>
  Reply get(const T& what) {
    auto out = ask<Reply>(tracker, what);
    REQUIRE(out);
    return *out;
  }
  machine_view view(const std::string& id = "mdc1:t-linux64-ms-100") {
    return get<machine_view>(get_machine{id});
  }
  /// What was raised, in order.
  std::vector<machine_alert> alerts() {
    sched.run();
    auto out = std::vector<machine_alert>{};
    auto got = backend->read({1, 16'384, UINT32_MAX, caf::timespan{0}});
    REQUIRE(got);
    for (const auto& x : got->events)
      if (x.what.topic == machine_alert::topic)
        out.push_back(*unpack<machine_alert>(x.what.payload));
    return out;
  }
  std::vector<machine_trouble> troubles() {
    auto out = std::vector<machine_trouble>{};
    for (const auto& x : alerts())
      out.push_back(x.what);
    return out;
  }

  machine_tracker_options options;
  std::shared_ptr<memory_table> machines = std::make_shared<memory_table>();
  machine_tracker_actor tracker;
};

} // namespace

TEST_CASE_METHOD(tracker_system, "an answer includes every sign durable before the question") {
  start_tracker(machines);
  auto at = now() - 1h;
  for (auto i = 0u; i < 20; ++i) {
    tell(sign(machine_sign::running, "t" + std::to_string(i), at + i * 1min));
    CHECK(view().counts.running == i + 1);
  }
  CHECK(get<sighting_list>(list_sightings{}).machines.size() == 1);
  CHECK(get<machine_summary>(summarize_machines{}).total.busy == 1);
  CHECK(get<machine_counters>(status_atom_v).messages["running"] == 20);
}

TEST_CASE_METHOD(tracker_system, "a rebuild of the table equals it") {
  start_tracker(machines);
  auto random = std::minstd_rand{5};
  for (auto i = 0; i < 400; ++i) {
    tell(random_signs(random, 1, 5)[0]);
    if (i % 57 == 0) {
      get<machine_page>(list_machines{});
      stop_tracker();
      start_tracker(machines);
    }
    if (i == 200)
      get<machine_view>(quarantine_machine{"mdc1:host-1", now() + 24h, "loud fan", "ann"});
    if (i == 300)
      get<machine_forgotten>(forget_machine{"mdc2:host-2", "ann"});
  }
  auto page = encode(get<machine_page>(list_machines{}));
  stop_tracker();
  auto fresh = std::make_shared<memory_table>();
  start_tracker(fresh);
  CHECK(encode(get<machine_page>(list_machines{})) == page);
  stop_tracker();
  auto entries = [](const memory_table& of) {
    auto out = std::map<std::string, std::string>{};
    REQUIRE_FALSE(of.scan({"n", {}, false}, [&](std::string_view key, std::string_view value) {
      out.emplace(key, value);
      return true;
    }));
    return out;
  };
  CHECK(entries(*fresh) == entries(*machines));
}

TEST_CASE_METHOD(tracker_system, "an import takes what is newer and can be exported again") {
  start_tracker(machines);
  auto what = import_machines{};
  for (auto i = 0; i < 2500; ++i)
    what.machines.push_back({"dc:h" + std::to_string(10'000 + i), now() - i * 1min,
                             "completed_completed", "task" + std::to_string(i)});
  CHECK(get<machines_imported>(what).taken == 2500);
  auto known = get<sighting_list>(list_sightings{});
  CHECK(encode(known.machines) == encode(what.machines));
  auto again = get<machines_imported>(what);
  CHECK(again.taken == 0);
  CHECK(again.older == 2500);
  what.machines.resize(2);
  what.machines[0].lastseen -= 1h;
  CHECK(get<machines_imported>(what).taken == 0);
  what.force = true;
  CHECK(get<machines_imported>(what).taken == 2);
  CHECK(view("dc:h10000").lastseen == what.machines[0].lastseen);
  what.machines[1].id = "no colon";
  auto refused = ask<machines_imported>(tracker, what);
  REQUIRE_FALSE(refused);
  CHECK(explain(refused.error()).place == "machines[1]");
  // Nobody is alarmed by what another tracker knew.
  run_for(2min);
  CHECK(alerts().empty());
}

TEST_CASE_METHOD(tracker_system, "the inventory can be replaced") {
  start_tracker(machines);
  auto done = get<machines_expected>(expect_machines{{"dc:a", "dc:b", "dc:a"}, false, "ann"});
  CHECK(done.added == 2);
  CHECK(done.total == 2);
  done = get<machines_expected>(expect_machines{{"dc:b", "dc:c"}, true, "ann"});
  CHECK(done.added == 1);
  CHECK(done.removed == 1);
  CHECK(done.total == 2);
  auto query = list_machines{};
  query.state = machine_filter::missing;
  query.order = machine_order::id;
  auto page = get<machine_page>(query);
  REQUIRE(page.machines.size() == 2);
  CHECK(page.machines[1].id == "dc:c");
  auto refused = ask<machine_view>(tracker, get_machine{"dc:c"});
  REQUIRE_FALSE(refused);
  CHECK(explain(refused.error()).code == ec::not_found);
}

TEST_CASE_METHOD(tracker_system, "each trouble is told once, and that it is over") {
  start_tracker(machines);
  auto began = now() - 3h;
  tell(sign(machine_sign::running, "a", began));
  view();
  CHECK(alerts().empty());
  auto lost = sign(machine_sign::exception, "a", began, 1208s, "claim-expired");
  tell(lost);
  tell(lost);
  view();
  CHECK(troubles() == std::vector{machine_trouble::lost});
  CHECK(alerts()[0].machine == "mdc1:t-linux64-ms-100");
  CHECK(alerts()[0].since == began + 20min);
  CHECK(alerts()[0].worker_type == "gecko-t-linux-talos");
  run_for(3min);
  stop_tracker();
  start_tracker(std::make_shared<memory_table>());
  view();
  run_for(3min);
  CHECK(troubles().size() == 1);
  tell(sign(machine_sign::completed, "b", began + 1h, 1min));
  view();
  CHECK(troubles() == std::vector{machine_trouble::lost, machine_trouble::back});
  for (auto i = 0; i < 4; ++i) {
    tell(sign(machine_sign::exception, "x" + std::to_string(i), began + 2h + i * 1min, 1s,
              "internal-error"));
    view();
  }
  CHECK(troubles().size() == 3);
  CHECK(alerts()[2].what == machine_trouble::exceptions);
  CHECK(alerts()[2].count == 3);
  CHECK(alerts()[2].task == "x2");
}

TEST_CASE_METHOD(tracker_system, "who goes silent is told of, but not who is quarantined") {
  options.limits.ages.stale_after = 1h;
  start_tracker(machines);
  tell(sign(machine_sign::completed, "a", now() - 2h, 1min));
  auto other = sign(machine_sign::completed, "a", now() - 2h, 1min);
  other.machine = "dc:down";
  auto down = other;
  down.kind = machine_sign::worker_stopped;
  down.at += 1min;
  tell(down);
  tell(other);
  auto quiet = sign(machine_sign::completed, "a", now() - 30min, 1min);
  quiet.machine = "dc:quiet";
  tell(quiet);
  get<machine_view>(quarantine_machine{"dc:quiet", now() + 1h, "", "ann"});
  quiet = sign(machine_sign::exception, "a", now() - 30min, 1208s, "claim-expired");
  quiet.machine = "dc:quiet";
  tell(quiet);
  view("dc:quiet");
  run_for(3min);
  REQUIRE(troubles() == std::vector{machine_trouble::stale});
  CHECK(alerts()[0].machine == "mdc1:t-linux64-ms-100");
  // The mark is lifted: what is wrong is told now.
  get<machine_view>(quarantine_machine{"dc:quiet", {}, "", "ann"});
  run_for(3min);
  REQUIRE(troubles().size() == 2);
  CHECK(alerts()[1].what == machine_trouble::lost);
}

TEST_CASE_METHOD(tracker_system, "a drained tracker answers and decides nothing more") {
  start_tracker(machines);
  tell(sign(machine_sign::running, "a", now() - 1h));
  CHECK(ask<uint32_t>(tracker, drain_atom_v));
  view();
  auto refused =
    ask<machine_view>(tracker, quarantine_machine{"mdc1:t-linux64-ms-100", now() + 1h, "", "ann"});
  REQUIRE_FALSE(refused);
  CHECK(explain(refused.error()).code == ec::unavailable);
}
