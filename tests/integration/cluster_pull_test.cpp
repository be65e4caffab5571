/// Reading the journal from another node: what is not yet read lies on the disk
/// of the node that has it, never in the memory of either side.
#include "tests/support/cluster_home.hpp"
#include "tests/support/event_filler.hpp"
#include "tests/support/joined_node.hpp"
#include "tests/support/slurp.hpp"
#include "tests/support/tcp_gate.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <thread>

using namespace troupe;
using namespace troupe::tests;
using namespace std::chrono_literals;

namespace {

constexpr auto payload_bytes = size_t{270};
constexpr auto warm_up = uint64_t{30'000};
constexpr auto per_second = uint64_t{20'000};
constexpr auto most_growth_mib = 10.0;

/// Small buffers of the store, so that they are full after the warm-up.
constexpr auto small_journal =
  "  journal:\n    store: {write_buffer: 1MiB, all_write_buffers: 4MiB,"
  " block_cache: 1MiB, log_size: 4MiB}\n";

/// A process whose memory is watched.
struct watched_process {
  child_process& process;
  double start = 0;
  double peak = 0;

  void begin() {
    start = peak = process.resident_mib();
  }
  void look() {
    peak = std::max(peak, process.resident_mib());
  }
};

uint64_t last_event_in(const std::string& log) {
  auto at = log.rfind("at ");
  return at == std::string::npos ? 0 : std::strtoull(log.c_str() + at + 3, nullptr, 10);
}

} // namespace

TEST_CASE("a slow consumer on another node costs no memory", "[integration][cluster]") {
  const auto events = std::getenv("TROUPE_LONG") ? uint64_t{1'000'000} : uint64_t{100'000};
  const auto total = warm_up + events;
  auto home = cluster_home{{"state-1", "producer-1", "consumer-1"}};
  auto state = home.launch("state-1", home.listener(small_journal));
  auto wire = tcp_gate{home.await_port()};
  auto producer = joined_node{home.dialer("producer-1", "", home.await_port())};
  auto journal = producer.await_role<journal_actor>("journal");
  fill_journal(producer.actors(), journal, 1, warm_up, payload_bytes);
  auto log = home.log_of("consumer-1");
  auto config = home.write("consumer-1", home.dialer("consumer-1", "", wire.port()));
  auto consumer = child_process{{TROUPE_BINARY_DIR "/tests/slow-consumer", config,
                                 std::to_string(total), std::to_string(per_second)},
                                {},
                                log};
  auto reaches = [&](uint64_t number) { return last_event_in(slurp(log)) >= number; };
  if (!await(60s, [&] { return reaches(warm_up); }))
    FAIL("the consumer does not begin: " << slurp(log) << slurp(home.log_of("state-1")));

  auto sides = std::array{watched_process{state}, watched_process{consumer}};
  for (auto& x : sides)
    x.begin();
  auto filler = std::thread{
    [&] { fill_journal(producer.actors(), journal, warm_up + 1, events, payload_bytes); }};
  auto was_cut = false;
  auto exit_code = std::optional<int>{};
  for (auto end = std::chrono::steady_clock::now() + 600s;
       !exit_code && std::chrono::steady_clock::now() < end;) {
    exit_code = consumer.wait(20ms);
    for (auto& x : sides)
      if (!exit_code)
        x.look();
    if (!was_cut && reaches(warm_up + events / 2)) {
      wire.cut(gate_cut::reset);
      was_cut = true;
    }
  }
  filler.join();

  CAPTURE(slurp(log).substr(slurp(log).size() < 300 ? 0 : slurp(log).size() - 300));
  REQUIRE(exit_code == 0); // it counts: each event once, in order
  CHECK(last_event_in(slurp(log)) == total);
  CHECK(wire.counts().cut > 0);
  CHECK(wire.counts().accepted >= 2);
  for (const auto& x : sides) {
    INFO((&x == &sides[0] ? "state" : "consumer") << " from " << x.start << " MiB");
    CHECK(x.peak - x.start < most_growth_mib);
  }
  WARN("state " << sides[0].start << " to " << sides[0].peak << " MiB, consumer " << sides[1].start
                << " to " << sides[1].peak << " MiB");
  state.signal(SIGTERM);
  CHECK(state.wait(60s) == 0);
}
