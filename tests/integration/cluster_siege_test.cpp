/// Crafted connections against a whole state node: it goes on with its work.
#include "nodes/cluster/gate.hpp"
#include "nodes/cluster/peer_link.hpp"
#include "tests/support/attacker.hpp"
#include "tests/support/child_process.hpp"
#include "tests/support/network_node.hpp"
#include "tests/support/slurp.hpp"

#include <catch2/catch.hpp>
#include <signal.h>

#include <atomic>
#include <cstdlib>
#include <fstream>
#include <thread>

using namespace troupe;
using namespace troupe::tests;
using namespace std::literals;

namespace {

/// A process that plays the roles of a state node, and takes in a worker and an attacker.
class state_process {
public:
  explicit state_process(test_authority& authority) {
    auto own = authority.issue("state-1");
    auto config = folder_.path() + "/node.yaml";
    std::ofstream{config}
      << "node: {name: state-1, log: warning, data: " << folder_.path()
      << "/data}\nroles:\n  journal: {}\n  jobs: {}\n  artifacts: {}\n"
      << "cluster:\n  listen: 127.0.0.1:0\n  peers: {worker-1: {}, mallory: {}}\n"
      << "  certificate: " << own.certificate << "\n  key: " << own.key
      << "\n  authority: " << own.authority << '\n';
    process_.emplace(
      std::vector<std::string>{TROUPE_BINARY_DIR "/nodes/troupe-node", "--config", config},
      std::vector<std::string>{}, log());
  }

  uint16_t await_port() const {
    auto port = 0;
    if (!await(30s, [&] {
          auto address = slurp(folder_.path() + "/data/cluster.address");
          port = address.ends_with('\n') ? std::stoi(address.substr(address.rfind(':') + 1)) : 0;
          return port != 0;
        }))
      FAIL("the state node does not listen: " << slurp(log()));
    return static_cast<uint16_t>(port);
  }
  std::string log() const {
    return folder_.path() + "/log";
  }
  child_process& process() {
    return *process_;
  }

private:
  temp_folder folder_;
  std::optional<child_process> process_;
};

/// A joined node that does jobs with its own hands.
class worker {
public:
  worker(const tls_files& files, uint16_t port) : node_{files, any_key_of({"state-1"})} {
    auto options = peer_link_options{};
    options.node = "worker-1";
    options.boot = "b1";
    options.version = "0";
    options.targets = {{"state-1", "127.0.0.1", port}};
    dialer_ = node_.net().make_dialer<gate_actor>();
    link_ = node_.sys().spawn(peer_link, &roles_, dialer_, options);
  }
  ~worker() {
    caf::anon_send_exit(link_, caf::exit_reason::user_shutdown);
  }

  /// Submits a job, claims its run and ends it; returns whether all was taken.
  bool do_job() {
    auto job = submit_job{};
    job.kind = "test";
    job.queue = "fake-x86_64-0";
    job.subject = "hello";
    auto claim = claim_runs{};
    claim.runner = "worker-1-fake";
    claim.boot = "b1";
    claim.nonce = std::to_string(++claims_);
    claim.queues = {job.queue};
    claim.wait = 10s;
    auto accepted = ask<job_accepted>(std::move(job));
    auto claimed = accepted ? ask<claimed_runs>(claim) : std::nullopt;
    if (!claimed || claimed->orders.size() != 1)
      return false;
    auto report = run_report{};
    report.job = claimed->orders.front().job;
    report.run_id = claimed->orders.front().run_id;
    report.result = verdict::pass;
    auto ended = ask<finish_outcomes>(finish_runs{claim.runner, claim.boot, {report}});
    return report.job == accepted->job && ended
           && ended->outcomes == std::vector{finish_outcome::accepted};
  }

private:
  template <class Reply, class Message>
  std::optional<Reply> ask(Message what) {
    auto ledger = job_ledger_actor{};
    if (!await(20s, [&] {
          ledger = roles_.find<job_ledger_actor>("jobs");
          return static_cast<bool>(ledger);
        }))
      return std::nullopt;
    auto out = std::optional<Reply>{};
    auto self = caf::scoped_actor{node_.sys()};
    self->request(ledger, 20s, std::move(what))
      .receive([&](Reply& x) { out = std::move(x); },
               [&](caf::error& why) { WARN(one_line(why)); });
    return out;
  }

  directory roles_; // outlives the link
  network_node node_;
  dialer_actor dialer_;
  peer_link_actor link_;
  uint64_t claims_ = 0;
};

} // namespace

TEST_CASE("a state node under attack goes on with its jobs", "[cluster][attack]") {
  const auto strikes = std::getenv("TROUPE_LONG") != nullptr ? size_t{3'000} : size_t{200};
  auto authority = test_authority{};
  auto state = state_process{authority};
  auto port = state.await_port();
  auto honest = worker{authority.issue("worker-1"), port};
  INFO(slurp(state.log()));
  REQUIRE(honest.do_job());
  auto over = std::atomic{false};
  auto attacks = std::thread{[&, as = unchecked(authority.issue("mallory"))] {
    auto mallory = attacker{port, as};
    for (auto i = size_t{0}; i < strikes; ++i)
      mallory.strike(i);
    over = true;
  }};
  auto jobs = 0;
  auto failed = 0;
  while (!over) {
    failed += honest.do_job() ? 0 : 1;
    ++jobs;
  }
  attacks.join();
  CHECK(jobs > 0);
  CHECK(failed == 0);
  CHECK(honest.do_job());
  state.process().signal(SIGTERM);
  CHECK(state.process().wait(60s) == 0);
}
