#include "nodes/cluster/gate.hpp"
#include "tests/support/deterministic_system.hpp"

using namespace troupe;
using namespace std::chrono_literals;

namespace {

using told_roles = std::map<std::string, caf::strong_actor_ptr>;

/// The link of a joining node, played: passes on what the test says, notes what it is told.
caf::behavior played_link(caf::event_based_actor* self, gate_actor gate, told_roles* told,
                          std::vector<std::string>* answers) {
  auto refused = [=](const caf::error& why) {
    answers->push_back(std::string{to_string(explain(why).code)} + ' ' + one_line(why));
  };
  return {
    [=](const node_hello& hello) {
      self->request(gate, 2s, hello)
        .then([=](const node_welcome& by) { answers->push_back("welcome by " + by.node); },
              refused);
    },
    [=](const node_ping& ping) {
      self->request(gate, 2s, ping)
        .then([=](const std::string& boot) { answers->push_back(boot); }, refused);
    },
    [=](caf::leave_atom, const std::string& boot) { self->send(gate, caf::leave_atom_v, boot); },
    [=](role_atom, const std::string& role, const caf::strong_actor_ptr& who) {
      (*told)[role] = who;
    },
  };
}

struct gated : tests::deterministic_system {
  directory roles;
  std::shared_ptr<peer_list> peers;
  std::string certified = "runner-1"; ///< Name in the certificate of whoever speaks.
  int cuts = 0;
  std::vector<refusal> refusals;
  told_roles told;
  std::vector<std::string> answers;
  gate_actor door;
  caf::actor link;

  gated() {
    auto options = gate_options{};
    options.node = "state-1";
    options.boot = "b0";
    options.version = "0.1.0";
    options.lost_after = 3s;
    peers = std::make_shared<peer_list>(
      std::map<std::string, listed_peer>{{"runner-1", {{"tests"}, {}}}, {"gateway-1", {}}});
    options.peers = peers;
    options.identity = [this](const caf::node_id&) -> std::optional<peer_identity> {
      return peer_identity{certified, "127.0.0.1:5", {}};
    };
    options.refused = [this](refusal why, const peer_identity&, const std::string&) {
      refusals.push_back(why);
    };
    options.cut = [this](const caf::node_id&) { ++cuts; };
    door = sys.spawn(gate, &roles, options);
    link = sys.spawn(played_link, door, &told, &answers);
    sched.run();
  }
  ~gated() {
    caf::anon_send_exit(door, caf::exit_reason::kill);
    caf::anon_send_exit(link, caf::exit_reason::kill);
    sched.run();
  }

  /// Sends one message through the link; returns what the gate answered last.
  template <class... Xs>
  std::string say(const caf::actor& through, Xs&&... xs) {
    answers.emplace_back();
    caf::anon_send(through, std::forward<Xs>(xs)...);
    sched.run();
    return answers.back();
  }
  static node_hello hello(std::string node = "runner-1", std::string boot = "b1") {
    return {protocol_oldest, protocol_now, std::move(node), std::move(boot), "0.1.0", {"tests"}};
  }
  node_list all() {
    auto out = ask<node_list>(door, nodes_atom_v);
    REQUIRE(out);
    return std::move(*out);
  }
  node_state state_of(const std::string& name) {
    for (const auto& x : all().nodes)
      if (x.node == name)
        return x.state;
    FAIL("no node " << name);
    return {};
  }
};

} // namespace

TEST_CASE_METHOD(gated, "a listed node is let in and told where roles are", "[actor][cluster]") {
  roles.assign("jobs", caf::actor_cast<caf::strong_actor_ptr>(link)); // any actor will do
  roles.assign("tests/docker", caf::actor_cast<caf::strong_actor_ptr>(link));
  CHECK(say(link, hello()) == "welcome by state-1");
  CHECK(told.at("jobs") == caf::actor_cast<caf::strong_actor_ptr>(link));
  CHECK(told.at("nodes") == caf::actor_cast<caf::strong_actor_ptr>(door));
  CHECK(told.count("tests/docker") == 0);
  roles.assign("jobs", nullptr);
  sched.run();
  CHECK(told.at("jobs") == nullptr);
  auto nodes = all().nodes;
  REQUIRE(nodes.size() == 2);
  CHECK(nodes[0].node == "runner-1");
  CHECK(nodes[0].address == "127.0.0.1:5");
  CHECK(nodes[1].node == "state-1");
}

TEST_CASE_METHOD(gated, "who does not fit is refused with what to do", "[actor][cluster]") {
  auto refused = [&](node_hello x) { return say(link, std::move(x)); };
  auto has = [](const std::string& text, const char* part) {
    INFO(text);
    CHECK(text.find(part) != std::string::npos);
  };
  has(refused(hello("gateway-1")), "its certificate says 'runner-1'");
  auto old = hello();
  old.protocol_oldest = old.protocol = 0;
  has(refused(old), "upgrade runner-1");
  auto newer = hello();
  newer.protocol_oldest = newer.protocol = protocol_now + 1;
  has(refused(newer), "upgrade state-1");
  auto both = hello();
  both.roles = {"tests", "http"};
  has(refused(both), "does not let 'runner-1' play 'http'");
  both.roles = {"journal"};
  has(refused(both), "brings a journal");
  certified = "stranger";
  has(refused(hello("stranger")), "not on the cluster's list");
  certified = "state-1";
  has(refused(hello("state-1")), "the name of this node");
  CHECK(all().nodes.size() == 1);
  CHECK(refusals
        == std::vector{refusal::bad_hello, refusal::other_protocol, refusal::other_protocol,
                       refusal::role_not_allowed, refusal::second_journal, refusal::bad_hello,
                       refusal::name_taken});
}

TEST_CASE_METHOD(gated, "who is refused is cut after it was told, unless it joins",
                 "[actor][cluster]") {
  auto wrong = hello();
  wrong.roles = {"journal"};
  say(link, wrong);
  CHECK(cuts == 0);
  sched.advance_time(1s);
  sched.run();
  CHECK(cuts == 1);
  say(link, wrong);
  CHECK(say(link, hello()) == "welcome by state-1");
  sched.advance_time(1s);
  sched.run();
  CHECK(cuts == 1);
}

TEST_CASE_METHOD(gated, "a range of protocols that overlaps is enough", "[actor][cluster]") {
  auto wide = hello();
  wide.protocol_oldest = 0;
  wide.protocol = protocol_now + 5;
  CHECK(say(link, wide) == "welcome by state-1");
}

TEST_CASE_METHOD(gated, "two nodes of one name are not both let in", "[actor][cluster]") {
  CHECK(say(link, hello()) == "welcome by state-1");
  auto second = sys.spawn(played_link, door, &told, &answers);
  CHECK(say(second, hello("runner-1", "b2")).find("conflict") == 0);
  caf::anon_send_exit(link, caf::exit_reason::kill); // the first one's connection breaks
  sched.run();
  CHECK(state_of("runner-1") == node_state::lost);
  CHECK(say(second, hello("runner-1", "b2")) == "welcome by state-1");
  CHECK(all().nodes[0].boot == "b2");
  caf::anon_send_exit(second, caf::exit_reason::kill);
  sched.run();
}

TEST_CASE_METHOD(gated, "a silent node is cut, one that pings is not", "[actor][cluster]") {
  say(link, hello());
  for (auto i = 0; i < 10; ++i) {
    sched.advance_time(1s);
    CHECK(say(link, node_ping{}) == "b0");
  }
  CHECK(state_of("runner-1") == node_state::up);
  CHECK(cuts == 0);
  for (auto i = 0; i < 5; ++i) {
    sched.advance_time(1s);
    sched.run();
  }
  CHECK(state_of("runner-1") == node_state::lost);
  CHECK(cuts == 1);
  CHECK(say(link, node_ping{}).find("not_found") == 0);
}

TEST_CASE_METHOD(gated, "a node that says goodbye has left", "[actor][cluster]") {
  say(link, hello());
  say(link, caf::leave_atom_v, std::string{"another boot"});
  CHECK(state_of("runner-1") == node_state::up);
  say(link, caf::leave_atom_v, std::string{"b1"});
  CHECK(state_of("runner-1") == node_state::left);
  CHECK(cuts == 0);
}

TEST_CASE_METHOD(gated, "a node whose roles the list forbids meanwhile is cut",
                 "[actor][cluster]") {
  say(link, hello());
  peers->replace({{"runner-1", {{"tests", "http"}, {}}}});
  sched.advance_time(1s);
  sched.run();
  CHECK(state_of("runner-1") == node_state::up);
  peers->replace({{"runner-1", {{"http"}, {}}}});
  sched.advance_time(1s);
  sched.run();
  CHECK(state_of("runner-1") == node_state::lost);
  CHECK(cuts == 1);
  CHECK(say(link, hello()).find("does not let 'runner-1' play 'tests'") != std::string::npos);
}

TEST_CASE_METHOD(gated, "what a node says of itself is bounded", "[actor][cluster]") {
  auto big = std::string(1 << 20, 'x');
  auto refused = [&](node_hello x) {
    auto said = say(link, std::move(x));
    CHECK(said.find("invalid_argument") == 0);
    CHECK(said.size() < 200);
  };
  auto much = hello();
  much.version = big;
  refused(much);
  much = hello();
  much.roles.assign(1000, "tests");
  refused(much);
  much.roles = {big};
  refused(much);
  CHECK(say(link, hello(big)).size() < 2000); // not its certificate's name
  CHECK(say(link, hello()) == "welcome by state-1");
  auto ping = node_ping{};
  ping.status.roles.assign(1000, {big.substr(0, 5000), true, 0, big.substr(0, 5000)});
  CHECK(say(link, ping) == "b0");
  auto shown = all().nodes[0].roles;
  CHECK(shown.size() <= 128);
  CHECK(shown[0].last_error.size() <= 1024);
}

TEST_CASE_METHOD(gated, "a node that says hello twice is one node", "[actor][cluster]") {
  say(link, hello());
  CHECK(say(link, hello()) == "welcome by state-1");
  CHECK(all().nodes.size() == 2);
  caf::anon_send_exit(link, caf::exit_reason::kill);
  sched.run();
  CHECK(state_of("runner-1") == node_state::lost);
}
