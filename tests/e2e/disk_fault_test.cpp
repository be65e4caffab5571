/// The disk fails at the n-th write or fsync of a node under load: it steps down or
/// does not start, never aborts, and what it accepted is done by the next one.
/// Source: spec/reliability_security.md R13, R14.
#include "tests/support/fault_count.hpp"
#include "tests/support/job_audit.hpp"

#include <catch2/catch.hpp>

#include <functional>
#include <thread>

using namespace troupe;
using namespace troupe::tests;
using namespace std::chrono_literals;

namespace {

constexpr auto fault_roles = R"(
  journal: {}
  jobs: {lease: 1s, first_backoff: 100ms, avoid_grace: 100ms}
  artifacts: {}
  tests:
    runners:
      fake: {driver: fake, slots: 4}
  http: {port: 0}
)";

constexpr auto at_a_time = 6U; // nodes: most of the time they wait

/// One node, one fault.
struct faulty_node {
  // Results that a failed journal cannot take are not waited for.
  node_process node{fault_roles, {}, "test-node", "  drain_limit: 2s\n"};
  std::string calls;
  std::string error;
  unsigned nth = 0;
  std::map<std::string, std::string> promised;
  std::optional<int> exit_code;
  int surprise = 0; ///< A status that is neither an acceptance nor a refusal.

  void launch() {
    // The node stays our child; strace watches it from the side.
    node.run_under({"strace", "-D", "-f", "--seccomp-bpf", "-o", "/dev/null", "-e",
                    "trace=" + calls, "-e",
                    "inject=" + calls + ":error=" + error + ":when=" + std::to_string(nth)});
    node.launch();
    node.run_under({});
  }

  /// Loads the node until it is gone.
  void load() {
    await(60s, [this] {
      exit_code = node.process().wait(0ms);
      if (exit_code)
        return true;
      auto key = "key-" + std::to_string(promised.size());
      auto answer = submit_as(node, key, fake_job());
      if (answer.status == 201)
        promised[key] = answer.document().at("job_id").get<std::string>();
      else if (answer.status != 0 && answer.status != 503)
        surprise = answer.status;
      return false;
    });
  }

  std::string describe() const {
    return error + " at " + std::to_string(nth) + " of " + calls + ", "
           + std::to_string(promised.size()) + " promised\n" + node.log();
  }
};

/// Lets nodes meet the fault in the nth(0)-th, nth(1)-th ... call of each of their
/// threads. Returns how many were serving when they met it.
unsigned suffer(const std::string& calls, const std::string& error, unsigned faults,
                const std::function<unsigned(unsigned)>& nth) {
  auto while_serving = 0U;
  for (auto i = 0U; i < faults;) {
    auto all = std::vector<std::unique_ptr<faulty_node>>{};
    for (; i < faults && all.size() < at_a_time; ++i) {
      all.push_back(std::make_unique<faulty_node>());
      all.back()->calls = calls;
      all.back()->error = error;
      all.back()->nth = nth(i);
      all.back()->launch();
    }
    auto load = std::vector<std::thread>{};
    for (auto& one : all)
      load.emplace_back([&one] { one->load(); });
    for (auto& thread : load)
      thread.join();
    for (auto& one : all) {
      INFO(one->describe());
      REQUIRE(one->exit_code);
      // 70: it gave up while serving; 3: it could not start.
      auto served = !one->promised.empty();
      CHECK((*one->exit_code == 70 || (*one->exit_code == 3 && !served)));
      CHECK(one->surprise == 0);
      while_serving += served ? 1 : 0;
      one->node.launch();
    }
    for (auto& one : all) {
      INFO(one->describe());
      REQUIRE(one->node.await_ready());
      await_all_finished(one->node);
      // One submission may have been accepted without an answer.
      audit_jobs(one->node, one->promised, one->promised.size() + 1);
      CHECK(one->node.stop() == 0);
    }
  }
  return while_serving;
}

} // namespace

TEST_CASE("ENOSPC at any write makes the node step down and loses nothing", "[e2e][disk]") {
  auto faults = fault_count(6, 100);
  auto step = 100 / faults;
  // The first write of some threads is no file's: it wakes another thread.
  CHECK(suffer("write", "ENOSPC", faults, [=](unsigned i) { return 2 + i * step; }) * 2 >= faults);
}

TEST_CASE("EIO at any fsync makes the node step down and loses nothing", "[e2e][disk]") {
  auto faults = fault_count(6, 200);
  auto step = 200 / faults;
  CHECK(suffer("fsync,fdatasync", "EIO", faults, [=](unsigned i) { return 1 + i * step; }) * 2
        >= faults);
}
