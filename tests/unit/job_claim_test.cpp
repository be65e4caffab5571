#include "tests/support/ledger_world.hpp"

using namespace troupe;
using namespace troupe::tests;

TEST_CASE("a job is claimed once, with its spec, and finishes with the reported verdict") {
  auto w = ledger_world{};
  auto id = w.submit();
  auto got = w.claim("r1", 8);
  REQUIRE(got.size() == 1);
  CHECK(got[0].job == id);
  CHECK(got[0].run_id == 0);
  CHECK(got[0].spec == "the spec");
  CHECK(got[0].lease == w.options.lease);
  CHECK(w.claim("r1").empty());
  CHECK(w.finish("r1", got[0]) == finish_outcome::accepted);
  CHECK(w.view(id).state == job_state::finished);
  CHECK(w.view(id).result == verdict::pass);
  CHECK(w.ledger->jobs() == 0);
}

TEST_CASE("the highest priority is claimed first, within it the oldest job") {
  auto w = ledger_world{};
  auto low = ledger_world::job();
  low.priority = 1;
  auto high = ledger_world::job();
  high.priority = 10;
  auto a = w.submit(low);
  auto b = w.submit();
  auto c = w.submit();
  auto d = w.submit(high);
  auto got = w.claim("r1", 4);
  REQUIRE(got.size() == 4);
  CHECK(got[0].job == d);
  CHECK(got[1].job == b);
  CHECK(got[2].job == c);
  CHECK(got[3].job == a);
}

TEST_CASE("age decides also between capability sets and queues") {
  auto w = ledger_world{};
  auto plain = w.submit(ledger_world::job("q1"));
  auto picky_job = ledger_world::job("q2");
  picky_job.capabilities = {"kvm", "big"};
  auto picky = w.submit(picky_job);
  auto last = w.submit(ledger_world::job("q1"));
  auto got = w.claim(ledger_world::claim_of("r1", "n", 3, {"q2", "q1"}, {"big", "kvm", "usb"}));
  REQUIRE(got.size() == 3);
  CHECK(got[0].job == plain);
  CHECK(got[1].job == picky);
  CHECK(got[2].job == last);
}

TEST_CASE("a runner gets only jobs whose capabilities it offers, from queues that it serves") {
  auto w = ledger_world{};
  auto picky = ledger_world::job();
  picky.capabilities = {"kvm"};
  w.submit(picky);
  w.submit(ledger_world::job("other"));
  CHECK(w.claim("r1", 8).empty());
  CHECK(w.claim(ledger_world::claim_of("r1", "x", 8, {"fake-x86_64-0"}, {"kvm"})).size() == 1);
}

TEST_CASE("a repeated nonce is answered with the same runs, also after a restart") {
  auto w = ledger_world{};
  w.submit();
  w.submit();
  w.submit();
  auto ask = ledger_world::claim_of("r1", "once", 2);
  auto first = w.claim(ask);
  REQUIRE(first.size() == 2);
  auto second = w.claim(ask);
  REQUIRE(second.size() == 2);
  CHECK(second[0].job == first[0].job);
  CHECK(second[1].job == first[1].job);
  w.restart();
  auto third = w.claim(ask);
  REQUIRE(third.size() == 2);
  CHECK(third[0].job == first[0].job);
  CHECK(third[0].spec == "the spec");
  CHECK(w.ledger->queues(w.now).queues.at(0).queued == 1);
}

TEST_CASE("a new boot of a runner requeues the runs of the old one at once and free") {
  auto w = ledger_world{};
  auto id = w.submit();
  auto old_run = w.claim("r1");
  REQUIRE(old_run.size() == 1);
  auto again = ledger_world::claim_of("r1", "n2");
  again.boot = "boot2";
  auto got = w.claim(again);
  REQUIRE(got.size() == 1);
  CHECK(got[0].job == id);
  CHECK(got[0].run_id == 1);
  CHECK(w.view(id).runs[0].why == reason::claim_expired);

  SECTION("what the old boot still says is refused") {
    CHECK(w.finish("r1", old_run[0], reason::none, "boot1") == finish_outcome::refused);
    CHECK(w.renew("r1", old_run[0], "boot1") == lease_state::lost);
    CHECK(!w.ledger->claim(ledger_world::claim_of("r1", "n3"), w.now));
    CHECK(w.finish("r1", got[0], reason::none, "boot2") == finish_outcome::accepted);
  }
}

TEST_CASE("a runner's name belongs to the node that has it") {
  auto w = ledger_world{};
  auto id = w.submit();
  auto claim_from = [&](const std::string& node, const std::string& boot) {
    auto what = ledger_world::claim_of("r1", "n" + std::to_string(++w.nonces));
    what.boot = boot;
    auto got = w.ledger->claim(what, w.now, node);
    w.keep();
    return got;
  };
  auto run = claim_from("node-a", "boot1");
  REQUIRE(run);
  REQUIRE(run->orders.size() == 1);
  auto key = run_key{id, 0};

  SECTION("another node is refused and takes nothing") {
    auto refused = claim_from("node-b", "boot9");
    REQUIRE(!refused);
    CHECK(explain(refused.error()).code == ec::conflict);
    CHECK(explain(refused.error()).text.find("on node node-a") != std::string::npos);
    auto status = runner_status{};
    status.runner = "r1";
    status.boot = "boot9";
    CHECK(w.ledger->hear(status, w.now, "node-b"));
    CHECK(w.ledger->renew({"r1", "boot1", {key}}, w.now, "node-b").states[0] == lease_state::lost);
    auto report = run_report{id, 0, verdict::pass, reason::none, "", {}};
    CHECK(w.ledger->finish({"r1", "boot1", {report}}, w.now, "node-b").outcomes[0]
          == finish_outcome::refused);
    CHECK(w.ledger->renew({"r1", "boot1", {key}}, w.now, "node-a").states[0] == lease_state::held);
  }
  SECTION("the same node is let in at once when it has started again") {
    auto again = claim_from("node-a", "boot2");
    REQUIRE(again);
    CHECK(again->orders.at(0).run_id == 1);
  }
  SECTION("the next ledger knows it, too") {
    w.restart();
    CHECK(!claim_from("node-b", "boot9"));
    CHECK(w.ledger->renew({"r1", "boot1", {key}}, w.now, "node-a").states[0] == lease_state::held);
    CHECK(claim_from("node-a", "boot2"));
    CHECK(!claim_from("node-b", "boot9"));
  }
  SECTION("it is free when its runs are over and nobody answers to it") {
    w.advance(45s); // silent, but it holds a lease
    CHECK(!claim_from("node-b", "boot9"));
    w.advance(30s);
    CHECK(claim_from("node-b", "boot9"));
    CHECK(!claim_from("node-a", "boot1"));
    w.advance(31s);
    w.advance(60s);
    CHECK(claim_from("node-a", "boot1"));
  }
}

TEST_CASE("a repeated report is accepted again, a late one is refused") {
  auto w = ledger_world{};
  w.submit();
  auto run = w.claim("r1").at(0);
  CHECK(w.finish("r2", run) == finish_outcome::refused);
  CHECK(w.finish("r1", run) == finish_outcome::accepted);
  CHECK(w.finish("r1", run) == finish_outcome::accepted);
  CHECK(w.finish("r2", run) == finish_outcome::refused);
}

TEST_CASE("after an infrastructure error another runner is preferred for a while") {
  auto w = ledger_world{};
  auto id = w.submit();
  // Both runners are known and ready.
  auto first = w.claim("r2");
  REQUIRE(first.size() == 1);
  CHECK(w.claim("r1").empty());
  w.finish("r2", first.at(0), reason::env_lost);
  w.advance(11s);
  auto second = w.claim("r1"); // r1 gets it ...
  REQUIRE(second.size() == 1);
  CHECK(w.view(id).runs.back().runner == "r1");
  w.finish("r1", second[0], reason::env_lost);
  w.advance(61s);
  w.ledger->hear({"r2", "boot1", "fake", {"fake-x86_64-0"}, {}, 4, 0, "", false, {}, true}, w.now);
  CHECK(w.claim("r1").empty()); // ... and now leaves it to r2 ...
  w.advance(w.options.avoid_grace);
  CHECK(w.claim("r1").size() == 1); // ... which had its chance.
}

TEST_CASE("a runner that nobody can replace gets its own failed job again") {
  auto w = ledger_world{};
  auto id = w.submit();
  auto run = w.claim("r1").at(0);
  w.finish("r1", run, reason::env_start_failed);
  w.advance(10s);
  REQUIRE(w.claim("r1").size() == 1);
  CHECK(w.view(id).runs.size() == 2);
}

TEST_CASE("queues and runners are counted as they are") {
  auto w = ledger_world{};
  w.submit();
  w.submit();
  w.submit(ledger_world::job("alone"));
  w.claim("r1", 1);
  auto queues = w.ledger->queues(w.now).queues;
  REQUIRE(queues.size() == 2);
  CHECK(queues[0].queue == "alone");
  CHECK(queues[0].slots == 0);
  CHECK(queues[1].queued == 1);
  CHECK(queues[1].running == 1);
  CHECK(queues[1].slots == 1);
  REQUIRE(w.ledger->runners(w.now).runners.size() == 1);
  CHECK(w.ledger->runners(w.now).runners[0].live);
  w.advance(31s);
  CHECK_FALSE(w.ledger->runners(w.now).runners[0].live);
  CHECK(w.ledger->queues(w.now).queues[1].slots == 0);
}

TEST_CASE("after a restart the boot of a runner's latest run is the present one") {
  auto w = ledger_world{};
  auto old_job = w.submit();
  auto by_old = ledger_world::claim_of("r1", "old");
  auto run = w.claim(by_old).at(0);
  REQUIRE(w.finish("r1", run, reason::env_lost) == finish_outcome::accepted);
  auto new_job = w.submit();
  auto by_new = ledger_world::claim_of("r1", "new");
  by_new.boot = "boot2";
  REQUIRE(w.claim(by_new).at(0).job == new_job);
  w.restart();
  auto again = w.claim(by_new);
  REQUIRE(again.size() == 1);
  CHECK(again[0].job == new_job);
  auto late = w.ledger->claim(by_old, w.now);
  REQUIRE(!late);
  CHECK(explain(late.error()).code == ec::conflict);
  CHECK(w.view(new_job).runs.size() == 1);
  CHECK(w.view(old_job).runs.size() == 1);
}

TEST_CASE("after a restart the latest claims are repeated, whatever the order of their jobs") {
  auto w = ledger_world{};
  auto low = ledger_world::job();
  low.priority = 1;
  auto first_job = w.submit(low); // the first job is claimed last
  for (auto i = 0; i < 40; ++i)
    w.submit();
  for (auto i = 0; i < 40; ++i)
    REQUIRE(w.claim("r1").size() == 1);
  auto last = ledger_world::claim_of("r1", "last");
  REQUIRE(w.claim(last).at(0).job == first_job);
  w.submit();
  w.restart();
  auto again = w.claim(last);
  REQUIRE(again.size() == 1);
  CHECK(again[0].job == first_job);
}

TEST_CASE("decided events are handed out in parts of the asked size, in order") {
  auto w = ledger_world{};
  for (auto i = 0; i < 10; ++i)
    w.submit();
  REQUIRE(w.ledger->claim(ledger_world::claim_of("r1", "n", 10), w.now)->orders.size() == 10);
  auto one = w.ledger->take_events(1);
  REQUIRE(one.size() == 1);
  auto size = one[0].topic.size() + one[0].payload.size();
  CHECK(w.ledger->take_events(3 * size).size() == 3);
  CHECK(w.ledger->has_events());
  CHECK(w.ledger->take_events().size() == 6);
  CHECK_FALSE(w.ledger->has_events());
}
