/// Random faults of nodes and wires under load, with promises kept by a process of
/// its own: nothing promised is lost, nothing takes effect twice.
#include "tests/support/steady_load.hpp"
#include "tests/support/test_cluster.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <numeric>
#include <random>
#include <thread>

using namespace troupe;
using namespace troupe::tests;
using namespace std::chrono_literals;

namespace {

int faults() {
  if (const auto* n = std::getenv("TROUPE_FAULTS"))
    return std::atoi(n);
  return std::getenv("TROUPE_LONG") != nullptr ? 200 : 20;
}

/// One fault, and its end.
class chaos {
public:
  chaos(test_cluster& cluster, uint64_t seed) : cluster_{cluster}, random_{seed} {}

  /// Every kind of fault comes up in each round of twelve, in an order of its own.
  void strike() {
    if (kinds_.empty()) {
      kinds_.resize(kinds);
      std::iota(kinds_.begin(), kinds_.end(), 0);
      std::shuffle(kinds_.begin(), kinds_.end(), random_);
    }
    last_ = kinds_.back();
    kinds_.pop_back();
    if (last_ == 0) {
      cluster_.state().crash();
      pause(300);
      cluster_.launch_state();
    } else if (last_ == 1) {
      restart(cluster_.runner(random_() % cluster_.runners()));
    } else if (last_ == 2) {
      restart(cluster_.gateway());
    } else if (last_ == 3) {
      freeze(cluster_.runner(random_() % cluster_.runners()), 4000);
    } else if (last_ == 4) {
      freeze(cluster_.state(), 2000);
    } else if (last_ == 5) {
      freeze(cluster_.gateway(), 4000);
    } else {
      break_wire(last_ - 6);
    }
    pause(300);
  }

  /// The kind of the last fault, for messages.
  int last() const {
    return last_;
  }

private:
  void pause(int most_ms) {
    std::this_thread::sleep_for(std::chrono::milliseconds{random_() % most_ms});
  }

  void restart(node_process& who) {
    who.crash();
    pause(500);
    who.launch();
  }

  void freeze(node_process& who, int most_ms) {
    who.process().signal(SIGSTOP);
    pause(most_ms);
    who.process().signal(SIGCONT);
  }

  void break_wire(int how) {
    auto i = random_() % (cluster_.runners() + 1);
    auto& wire = i == 0 ? cluster_.gateway_wire() : cluster_.runner_wire(i - 1);
    if (how == 0)
      wire.cut(gate_cut::reset);
    else if (how == 1)
      wire.cut(gate_cut::finish);
    else if (how == 2)
      wire.freeze(random_() % 2 == 0 ? gate_way::both : gate_way::to_client);
    else if (how == 3)
      wire.corrupt(gate_way::both, 3, 2000);
    else if (how == 4)
      wire.split(5);
    else
      wire.delay(100ms);
    pause(2500);
    wire.pass();
  }

  static constexpr auto kinds = size_t{12};

  test_cluster& cluster_;
  std::mt19937_64 random_;
  std::vector<int> kinds_; ///< Still to come in this round.
  int last_ = 0;
};

} // namespace

TEST_CASE("random faults of a cluster lose nothing and double nothing", "[e2e][cluster]") {
  auto plan = cluster_plan{};
  plan.runners = 2;
  plan.jobs = "{lease: 3s, first_backoff: 100ms, second_backoff: 200ms, longest_backoff: 500ms}";
  auto cluster = test_cluster{plan};
  cluster.start();
  auto folder = temp_folder{};
  auto book = promises{folder.path() + "/promises"};
  auto seed = std::random_device{}();
  INFO("seed " << seed);
  auto keys = size_t{0};
  {
    auto work = steady_load{cluster.gateway(), book};
    auto breaker = chaos{cluster, seed};
    for (auto i = 0; i < faults(); ++i) {
      breaker.strike();
      // Faults follow each other while the last one's work is not done, but never for ever.
      auto before = work.promised().size();
      if (!await(60s, [&] { return work.promised().size() > before; }))
        FAIL("nothing is taken in after a fault of kind " << breaker.last() << ": "
                                                          << cluster.logs());
    }
    if (!cluster.await_ready(2, 60s))
      FAIL("the cluster does not come back: " << cluster.logs());
    work.stop();
    keys = work.keys();
  }
  await_all_finished(cluster.gateway());
  auto promised = book.all();
  CHECK(promised.size() >= static_cast<size_t>(faults()));
  CHECK(promised.size() + 3 >= keys); // each of three threads may have been stopped with one
  auto jobs = audit_jobs(cluster.gateway(), promised, keys);
  WARN(faults() << " faults, " << promised.size() << " promises, " << jobs << " jobs");
}
