#include "actors/supervisor.hpp"
#include "tests/support/deterministic_system.hpp"

using namespace troupe;
using namespace std::chrono_literals;

namespace {

/// A role that ends with an error when it is sent a word.
bridge_actor::behavior_type mortal(bridge_actor::stateful_pointer<int> self, bool* drained) {
  return {[self, drained](drain_atom) -> uint32_t {
    *drained = true;
    return 0;
  }};
}

struct supervised : tests::deterministic_system {
  directory roles;
  std::vector<std::string> gave_up;
  bool drained = false;
  int starts = 0;
  bool refuse = false;

  supervisor_actor spawn(bool critical) {
    auto role = supervised_role{};
    role.role = "journal";
    role.critical = critical;
    role.drains = true;
    role.start = [this]() -> caf::expected<caf::strong_actor_ptr> {
      if (refuse)
        return fault(ec::unavailable, "port in use");
      ++starts;
      return caf::actor_cast<caf::strong_actor_ptr>(sys.spawn(mortal, &drained));
    };
    auto options = supervisor_options{};
    options.give_up = [this](const std::string& why, bool) { gave_up.push_back(why); };
    auto out = sys.spawn(supervisor, &roles, std::vector{role}, options);
    sched.run();
    return out;
  }

  void kill() {
    auto who = roles.find<bridge_actor>("journal");
    caf::anon_send(caf::actor_cast<caf::actor>(who),
                   caf::exit_msg{who.address(), fault(ec::corrupt, "bad block")});
    sched.run();
  }
};

} // namespace

TEST_CASE_METHOD(supervised, "a role that ends is absent, then back after the backoff",
                 "[actor][supervisor]") {
  auto boss = spawn(false);
  CHECK(starts == 1);
  kill();
  CHECK_FALSE(roles.find<bridge_actor>("journal"));
  sched.advance_time(99ms);
  sched.run();
  CHECK(starts == 1);
  sched.advance_time(1ms);
  sched.run();
  CHECK(starts == 2);
  CHECK(roles.find<bridge_actor>("journal"));
  CHECK(gave_up.empty());
  caf::anon_send_exit(boss, caf::exit_reason::kill);
  kill();
}

TEST_CASE_METHOD(supervised, "a role that ends too often makes the node give up",
                 "[actor][supervisor]") {
  auto boss = spawn(false);
  for (auto i = 0; i < 6; ++i) {
    kill();
    sched.advance_time(30s);
    sched.run();
  }
  REQUIRE(gave_up.size() == 1);
  CHECK(gave_up[0].find("bad block") != std::string::npos);
  caf::anon_send_exit(boss, caf::exit_reason::kill);
  sched.run();
}

TEST_CASE_METHOD(supervised, "the end of a critical role is the end of the node",
                 "[actor][supervisor]") {
  auto boss = spawn(true);
  kill();
  CHECK(gave_up.size() == 1);
  caf::anon_send_exit(boss, caf::exit_reason::kill);
  sched.run();
}

TEST_CASE_METHOD(supervised, "a role that cannot start at all is told at once",
                 "[actor][supervisor]") {
  refuse = true;
  auto boss = spawn(false);
  REQUIRE(gave_up.size() == 1);
  CHECK(gave_up[0] == "journal: port in use");
  caf::anon_send_exit(boss, caf::exit_reason::kill);
  sched.run();
}
