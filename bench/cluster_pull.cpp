#include "bench/cluster_pull.hpp"

#include "tests/support/cluster_home.hpp"
#include "tests/support/event_filler.hpp"
#include "tests/support/event_puller.hpp"
#include "tests/support/joined_node.hpp"

#include <caf/scoped_actor.hpp>

#include <csignal>

namespace troupe::bench {

namespace {

using namespace std::chrono_literals;
using steady = std::chrono::steady_clock;

constexpr auto payload_bytes = size_t{270}; // and topic, times, sequence

double pull_once(tests::joined_node& node, uint64_t events) {
  auto last = uint64_t{0};
  auto good = true;
  auto options = tests::pull_options{};
  options.take = [&](const std::vector<stored_event>& got) {
    for (const auto& x : got)
      good = good && x.sequence == ++last && tests::number_in(x.what.payload) == last;
    return good && last < events;
  };
  auto start = steady::now();
  auto puller = node.actors().spawn<caf::detached>(tests::event_puller, &node.roles(), options);
  caf::scoped_actor {
    node.actors()
    } -> wait_for(puller);
  if (!good || last != events)
    throw std::runtime_error{"an event is missing or came twice"};
  return static_cast<double>(events) / std::chrono::duration<double>(steady::now() - start).count();
}

} // namespace

std::vector<double> measure_event_pull(uint64_t events, unsigned runs) {
  auto home = tests::cluster_home{{"state-1", "reader-1"}};
  auto state = home.launch("state-1", home.listener("  journal: {}\n"));
  auto out = std::vector<double>{};
  {
    auto reader = tests::joined_node{home.dialer("reader-1", "", home.await_port())};
    auto journal = reader.await_role<journal_actor>("journal");
    tests::fill_journal(reader.actors(), journal, 1, events, payload_bytes);
    for (auto i = 0U; i < runs; ++i)
      out.push_back(pull_once(reader, events));
  }
  state.signal(SIGTERM);
  state.wait(60s);
  return out;
}

} // namespace troupe::bench
