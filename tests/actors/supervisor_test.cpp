#include "actors/supervisor.hpp"
#include "tests/support/deterministic_system.hpp"

#include <condition_variable>
#include <future>
#include <mutex>

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

/// A system with threads, as a node has it.
struct threaded_system {
  struct config : caf::actor_system_config {
    config() {
      add_message_types<caf::id_block::troupe_atoms>();
      add_message_types<caf::id_block::troupe>();
      set("scheduler.policy", caf::atom("sharing"));
      set("scheduler.max-threads", size_t{2});
    }
  };
  config options;
  caf::actor_system sys{options};
};

/// Holds threads until it is opened.
class gate {
public:
  void wait() {
    auto lock = std::unique_lock{mutex_};
    changed_.wait(lock, [this] { return open_; });
  }
  void open() {
    auto lock = std::lock_guard{mutex_};
    open_ = true;
    changed_.notify_all();
  }

private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool open_ = false;
};

/// A role that hangs in its drain, and then in its end.
bridge_actor::behavior_type hanging(bridge_actor::stateful_pointer<int>, gate* opened) {
  return {[opened](drain_atom) -> uint32_t {
    opened->wait();
    return 0;
  }};
}

supervised_role role_of(caf::actor_system& sys, const std::string& name, gate* opened) {
  auto out = supervised_role{};
  out.role = name;
  out.drains = true;
  out.start = [&sys, opened]() -> caf::expected<caf::strong_actor_ptr> {
    return caf::actor_cast<caf::strong_actor_ptr>(sys.spawn<caf::detached>(hanging, opened));
  };
  return out;
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

TEST_CASE("a role that neither drains nor ends is named, and nobody waits for it for ever",
          "[actor][supervisor]") {
  auto it = threaded_system{};
  auto closed = gate{};
  auto open = gate{};
  open.open();
  auto roles = directory{};
  auto named = std::string{};
  auto options = supervisor_options{};
  options.drain_limit = 50ms;
  options.role_grace = 50ms;
  options.end_limit = 50ms;
  options.stuck = [&](const std::string& names) { named = names; };
  auto children = std::vector{role_of(it.sys, "jobs", &open), role_of(it.sys, "http", &closed)};
  auto boss = it.sys.spawn<caf::detached>(supervisor, &roles, children, options);
  auto late = uint32_t{0};
  caf::scoped_actor {
    it.sys
    } -> request(boss, 60s, drain_atom_v)
      .receive([&](uint32_t n) { late = n; }, [](const caf::error& why) { FAIL(one_line(why)); });
  CHECK(late == 2); // it was late, and it is still there
  CHECK(named == "http");
  closed.open();
}

TEST_CASE("roles of one family drain at the same time", "[actor][supervisor]") {
  auto it = threaded_system{};
  auto roles = directory{};
  auto first = gate{};
  // Each lets the other one go: one after the other, the first would wait for ever.
  auto crossed = [&](const std::string& name, gate* mine, gate* others) {
    auto out = role_of(it.sys, name, mine);
    out.start = [&it, mine, others]() -> caf::expected<caf::strong_actor_ptr> {
      auto run = [](bridge_actor::stateful_pointer<int>, gate* to_wait,
                    gate* to_open) -> bridge_actor::behavior_type {
        return {[=](drain_atom) -> uint32_t {
          to_open->open();
          to_wait->wait();
          return 0;
        }};
      };
      return caf::actor_cast<caf::strong_actor_ptr>(it.sys.spawn<caf::detached>(run, mine, others));
    };
    return out;
  };
  auto second = gate{};
  auto options = supervisor_options{};
  options.drain_limit = 20s;
  auto children =
    std::vector{crossed("tests/a", &first, &second), crossed("tests/b", &second, &first)};
  auto boss = it.sys.spawn<caf::detached>(supervisor, &roles, children, options);
  auto late = uint32_t{99};
  caf::scoped_actor {
    it.sys
    } -> request(boss, 60s, drain_atom_v)
      .receive([&](uint32_t n) { late = n; }, [](const caf::error& why) { FAIL(one_line(why)); });
  CHECK(late == 0);
  first.open();
  second.open();
}
