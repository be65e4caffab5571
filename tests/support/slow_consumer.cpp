/// A consumer on a node of its own that is slower than what fills the journal.
/// Usage: slow-consumer CONFIG TOTAL PER_SECOND. Prints "at N" every thousandth of
/// the way and at the end; exits 1 if an event is missing or comes twice.
#include "tests/support/event_filler.hpp"
#include "tests/support/event_puller.hpp"
#include "tests/support/joined_node.hpp"
#include "tests/support/slurp.hpp"

#include <caf/scoped_actor.hpp>

#include <cstdlib>
#include <iostream>
#include <thread>

using namespace troupe;

namespace {

int consume(const std::string& config, uint64_t total, uint64_t per_second) {
  auto own = tests::joined_node{config};
  auto last = uint64_t{0};
  auto told = uint64_t{0};
  auto good = true;
  auto options = tests::pull_options{};
  options.take = [&](const std::vector<stored_event>& got) {
    for (const auto& x : got)
      if (good = good && x.sequence == ++last && tests::number_in(x.what.payload) == last; !good) {
        std::cout << "wrong: " << x.sequence << " as number " << last << std::endl;
        return false;
      }
    std::this_thread::sleep_for(std::chrono::microseconds{got.size() * 1'000'000 / per_second});
    if (last - told >= total / 1000 || last >= total)
      std::cout << "at " << (told = last) << std::endl;
    return last < total;
  };
  auto puller = own.actors().spawn<caf::detached>(tests::event_puller, &own.roles(), options);
  caf::scoped_actor {
    own.actors()
    } -> wait_for(puller);
  return good && last == total ? 0 : 1;
}

} // namespace

int main(int argc, char** argv) try {
  if (argc != 4)
    return 2;
  return consume(tests::slurp(argv[1]), std::strtoull(argv[2], nullptr, 10),
                 std::strtoull(argv[3], nullptr, 10));
} catch (const std::exception& why) {
  std::cout << "failed: " << why.what() << std::endl;
  return 3;
}
