#include "nodes/cluster/peer_link.hpp"
#include "tests/support/deterministic_system.hpp"

using namespace troupe;
using namespace std::chrono_literals;

namespace {

/// The far node's gate, played.
struct gate_script {
  bool silent = false; ///< Answers no ping.
  caf::error refusal;
  std::vector<node_hello> hellos;
  size_t pings = 0;
  std::vector<std::string> left;
  std::vector<std::string> gives{"jobs"};
};

gate_actor::behavior_type played_gate(gate_actor::stateful_pointer<int> self, gate_script* script) {
  return {
    [=](const node_hello& hello) -> caf::result<node_welcome> {
      script->hellos.push_back(hello);
      if (script->refusal)
        return script->refusal;
      for (const auto& role : script->gives)
        self->send(caf::actor_cast<peer_link_actor>(self->current_sender()), role_atom_v, role,
                   caf::actor_cast<caf::strong_actor_ptr>(self));
      return node_welcome{1, "state-1", "b0", "0.1.0", 3s};
    },
    [=](const node_ping&) -> caf::result<std::string> {
      ++script->pings;
      if (script->silent)
        return self->make_response_promise<std::string>();
      return std::string{"b0"};
    },
    [=](caf::leave_atom, const std::string& boot) { script->left.push_back(boot); },
    [=](nodes_atom) { return node_list{}; },
  };
}

/// The transport, played: answers with `far`, or with an error without one.
dialer_actor::behavior_type played_dialer(dialer_actor::stateful_pointer<int>,
                                          caf::strong_actor_ptr* far,
                                          std::vector<std::string>* dialed, int* closed) {
  return {
    [=](caf::connect_atom, const std::string& node, const std::string& host,
        uint16_t port) -> caf::result<caf::strong_actor_ptr> {
      dialed->push_back(node + '@' + host + ':' + std::to_string(port));
      if (!*far)
        return fault(ec::unavailable, "nobody there");
      return *far;
    },
    [=](caf::close_atom, const caf::node_id&) { ++*closed; },
  };
}

struct linked : tests::deterministic_system {
  directory roles;
  gate_script script;
  gate_actor far;
  caf::strong_actor_ptr reachable;
  std::vector<std::string> dialed;
  int closed = 0;
  dialer_actor dialer;
  peer_link_actor link;

  linked() {
    far = sys.spawn(played_gate, &script);
    reachable = caf::actor_cast<caf::strong_actor_ptr>(far);
    dialer = sys.spawn(played_dialer, &reachable, &dialed, &closed);
  }
  ~linked() {
    reachable = nullptr;
    for (const auto& x : {caf::actor_cast<caf::actor>(link), caf::actor_cast<caf::actor>(far),
                          caf::actor_cast<caf::actor>(dialer)})
      caf::anon_send_exit(x, caf::exit_reason::kill);
    sched.run();
  }

  void start() {
    auto options = peer_link_options{};
    options.node = "runner-1";
    options.boot = "b1";
    options.roles = {"tests"};
    options.targets = {{"state-1", "a", 1}, {"state-2", "b", 2}};
    link = sys.spawn(peer_link, &roles, dialer, options);
    sched.run();
  }
  void pass(std::chrono::milliseconds time) {
    for (auto step = 0ms; step < time; step += 100ms) {
      sched.advance_time(100ms);
      sched.run();
    }
  }
};

} // namespace

TEST_CASE_METHOD(linked, "a link brings the far node's roles and pings", "[actor][cluster]") {
  start();
  REQUIRE(script.hellos.size() == 1);
  CHECK(script.hellos[0].node == "runner-1");
  CHECK(script.hellos[0].roles == std::vector<std::string>{"tests"});
  CHECK(roles.find<caf::strong_actor_ptr>("jobs") == caf::actor_cast<caf::strong_actor_ptr>(far));
  pass(10s);
  CHECK(script.pings >= 10);
  CHECK(closed == 0);
}

TEST_CASE_METHOD(linked, "nobody there: the targets are tried in turn, ever more slowly",
                 "[actor][cluster]") {
  auto later = std::exchange(reachable, nullptr);
  start();
  pass(60s);
  CHECK(dialed.size() > 12); // at 5 s at most
  CHECK(dialed.size() < 45); // 0.2, 0.4, ... with jitter
  CHECK(dialed[0] == "state-1@a:1");
  CHECK(dialed[1] == "state-2@b:2");
  CHECK(dialed[2] == "state-1@a:1");
  reachable = later;
  pass(6s);
  CHECK(script.hellos.size() == 1);
}

TEST_CASE_METHOD(linked, "a silent node loses its roles and is dialed again", "[actor][cluster]") {
  start();
  script.silent = true;
  pass(5s);
  CHECK(closed >= 1);
  script.silent = false;
  pass(3s);
  CHECK(script.hellos.size() >= 2);
  CHECK(roles.find<caf::strong_actor_ptr>("jobs"));
}

TEST_CASE_METHOD(linked, "a node that goes takes its roles with it", "[actor][cluster]") {
  start();
  reachable = nullptr;
  caf::anon_send_exit(far, caf::exit_reason::kill);
  sched.run();
  CHECK_FALSE(roles.find<caf::strong_actor_ptr>("jobs"));
  script = {};
  far = sys.spawn(played_gate, &script);
  reachable = caf::actor_cast<caf::strong_actor_ptr>(far);
  pass(1s);
  CHECK(script.hellos.size() == 1);
  CHECK(roles.find<caf::strong_actor_ptr>("jobs") == reachable);
}

TEST_CASE_METHOD(linked, "a refused node keeps trying and says why", "[actor][cluster]") {
  script.refusal = fault_at(ec::unsupported, "protocol", "upgrade runner-1");
  start();
  pass(20s);
  CHECK(script.hellos.size() > 3);
  CHECK_FALSE(roles.find<caf::strong_actor_ptr>("jobs"));
  auto view = ask<node_view>(link, status_atom_v);
  REQUIRE(view);
  CHECK(view->trouble == "protocol: upgrade runner-1");
}

TEST_CASE_METHOD(linked, "a role that is played here is not taken from afar", "[actor][cluster]") {
  roles.assign("jobs", reachable);
  auto options = peer_link_options{};
  options.roles = {"jobs"};
  options.targets = {{"state-1", "a", 1}};
  auto mine = caf::actor_cast<caf::strong_actor_ptr>(dialer);
  roles.assign("jobs", mine);
  link = sys.spawn(peer_link, &roles, dialer, options);
  sched.run();
  CHECK(roles.find<caf::strong_actor_ptr>("jobs") == mine);
  CHECK(roles.find<caf::strong_actor_ptr>("far/jobs") == reachable);
  caf::anon_send_exit(link, caf::exit_reason::kill);
  sched.run();
  CHECK(roles.find<caf::strong_actor_ptr>("jobs") == mine);
  CHECK_FALSE(roles.find<caf::strong_actor_ptr>("far/jobs"));
}

TEST_CASE_METHOD(linked, "a drained link says goodbye and stays away", "[actor][cluster]") {
  start();
  caf::anon_send(link, drain_atom_v);
  sched.run();
  CHECK(script.left == std::vector<std::string>{"b1"});
}

TEST_CASE_METHOD(linked, "a link that ends takes back what it gave", "[actor][cluster]") {
  start();
  REQUIRE(roles.find<caf::strong_actor_ptr>("jobs"));
  caf::anon_send_exit(link, caf::exit_reason::kill);
  sched.run();
  CHECK_FALSE(roles.find<caf::strong_actor_ptr>("jobs"));
}

TEST_CASE_METHOD(linked, "a far node sets no role that nodes do not share", "[actor][cluster]") {
  auto mine = caf::actor_cast<caf::strong_actor_ptr>(dialer);
  roles.assign("supervisor", mine);
  script.gives = {"supervisor", "tests/docker", "history"};
  start();
  CHECK(roles.find<caf::strong_actor_ptr>("supervisor") == mine);
  CHECK_FALSE(roles.find<caf::strong_actor_ptr>("tests/docker"));
  CHECK(roles.find<caf::strong_actor_ptr>("history") == reachable);
}
