#include "tests/support/ledger_world.hpp"

#include <random>

using namespace troupe;
using namespace troupe::tests;

namespace {

/// Drives a ledger with random steps of everybody who may speak to it.
class random_play {
public:
  explicit random_play(uint32_t seed) : random_{seed} {}

  void step() {
    switch (pick(12)) {
      case 0:
      case 1: submit(); break;
      case 2:
      case 3:
      case 4: claim(); break;
      case 5:
      case 6:
      case 7: finish(); break;
      case 8: cancel(); break;
      case 9: w.advance(std::chrono::seconds{pick(90)}); break;
      case 10: renew(); break;
      default: restart(); break;
    }
  }

  /// Ends what is unfinished: runners work everything off.
  void drain() {
    for (auto rounds = 0; w.ledger->jobs() > 0; ++rounds) {
      REQUIRE(rounds < 10'000);
      claim();
      for (auto i = 0; i < 8; ++i)
        finish();
      w.advance(5s);
    }
  }

  /// The rebuilt state is the state that died.
  void restart() {
    auto before = w.ledger->describe();
    w.restart();
    REQUIRE(w.ledger->describe() == before);
  }

  void check_final_states() {
    for (const auto& [id, events] : w.journal) {
      auto finals = 0;
      for (const auto& x : events) {
        if (x.what.topic == job_closed::topic)
          ++finals;
        if (x.what.topic == run_finished::topic)
          finals += unpack<run_finished>(x.what.payload)->final ? 1 : 0;
      }
      CHECK(finals == 1);
      CHECK(w.view(id).state == job_state::finished);
    }
  }

  ledger_world w;

private:
  struct held {
    std::string runner;
    std::string boot;
    run_order run;
  };

  uint32_t pick(uint32_t below) {
    return static_cast<uint32_t>(random_() % below);
  }
  std::string queue() {
    return "q" + std::to_string(pick(3));
  }

  void submit() {
    auto what = ledger_world::job(queue());
    what.priority = static_cast<int32_t>(1 + pick(10));
    what.retries = pick(4);
    what.retry_on_timeout = pick(2) == 0;
    if (pick(3) == 0)
      what.capabilities = {"c" + std::to_string(pick(2))};
    what.queue_deadline = std::chrono::minutes{5 + pick(20)};
    what.run_deadline = std::chrono::seconds{30 + pick(200)};
    ids_.push_back(w.submit(what));
  }

  void claim() {
    auto name = "r" + std::to_string(pick(4));
    if (pick(20) == 0)
      ++boots_[name];
    auto what = ledger_world::claim_of(name, "n" + std::to_string(++w.nonces), 1 + pick(4),
                                       {"q0", "q1", "q2"}, {"c0", "c1"});
    what.boot = "b" + std::to_string(boots_[name]);
    for (auto& run : w.claim(what))
      held_.push_back({name, what.boot, std::move(run)});
    if (pick(4) == 0) { // the reply was lost
      auto runs = w.claim(what);
      for (auto& run : runs)
        held_.push_back({name, what.boot, std::move(run)});
    }
  }

  void finish() {
    if (held_.empty())
      return;
    auto i = pick(static_cast<uint32_t>(held_.size()));
    static constexpr auto reasons =
      std::array{reason::none,     reason::none,          reason::test_failed,
                 reason::env_lost, reason::claim_expired, reason::worker_shutdown,
                 reason::canceled, reason::task_timeout};
    auto x = held_[i];
    w.finish(x.runner, x.run, reasons[pick(reasons.size())], x.boot);
    if (pick(5) != 0) // else it reports again later
      held_.erase(held_.begin() + i);
  }

  void cancel() {
    if (!ids_.empty())
      w.cancel(ids_[pick(static_cast<uint32_t>(ids_.size()))]);
  }

  void renew() {
    for (const auto& x : held_)
      w.renew(x.runner, x.run, x.boot);
  }

  std::mt19937 random_;
  std::vector<job_id> ids_;
  std::vector<held> held_;
  std::map<std::string, int> boots_;
};

} // namespace

TEST_CASE("whatever happens, each job ends once and a rebuilt ledger equals the one that died") {
  auto seed = GENERATE(range(1U, 41U));
  auto play = random_play{seed};
  CAPTURE(seed);
  for (auto i = 0; i < 400; ++i)
    play.step();
  play.drain();
  play.check_final_states();
  play.restart();
}

TEST_CASE("100,000 queued jobs of 300 bytes take far less than 150 MB") {
  auto resident = [] {
    auto* file = std::fopen("/proc/self/statm", "r");
    REQUIRE(file != nullptr);
    auto total = 0L;
    auto pages = 0L;
    auto read = std::fscanf(file, "%ld %ld", &total, &pages);
    std::fclose(file);
    REQUIRE(read == 2);
    return pages * 4096;
  };
  auto before = resident();
  auto now = moment{caf::timestamp{1'700'000'000s}, 1s};
  auto ledger = ledger_state{ledger_options{}};
  for (auto i = 0; i < 100'000; ++i) {
    auto what = ledger_world::job("docker-x86_64-" + std::to_string(i % 4));
    what.spec.assign(300, 'x');
    ledger.enqueue({new_job_id(), std::move(what)}, now.wall, now);
  }
  CHECK(ledger.jobs() == 100'000);
  CHECK(resident() - before < 100'000'000);
  // Canceling from the middle and claiming cost the same as with few jobs.
  auto claim = ledger_world::claim_of("r1", "n", 1024, {"docker-x86_64-0"});
  auto got = ledger.claim(claim, now);
  REQUIRE(got);
  CHECK(got->orders.size() == 1024);
}
