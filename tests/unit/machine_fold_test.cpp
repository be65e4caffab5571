/// What is known of machines depends on the set of their signs, not on their order.
#include "tests/support/fault_count.hpp"
#include "tests/support/machine_script.hpp"

#include <algorithm>

using namespace troupe;
using namespace troupe::tests;

namespace {

/// Tells signs in batches of random sizes.
void tell_all(machine_world& w, const std::vector<machine_seen>& signs, std::minstd_rand& random) {
  auto batch = event_batch{};
  auto size = size_t{1};
  auto flush = [&] {
    batch.next = w.sequence + 1;
    REQUIRE_FALSE(w.table->apply(batch));
    batch.events.clear();
    size = 1 + random() % 64;
  };
  for (const auto& x : signs) {
    batch.events.push_back(w.next(make_event(x, x.at)));
    if (batch.events.size() >= size)
      flush();
  }
  flush();
}

/// Counts what the history of all machines holds.
machine_counts counted(const machine_world& w) {
  auto out = machine_counts{};
  REQUIRE_FALSE(w.disk->scan({"h", "i", false}, [&](std::string_view key, std::string_view) {
    auto parts = machine_keys::read_history(key, key.find('\0') + 1);
    REQUIRE(parts);
    if (parts->kind == machine_sign::running)
      ++out.running;
    else if (parts->kind == machine_sign::completed)
      ++out.completed;
    else if (parts->kind == machine_sign::failed)
      ++out.failed;
    else
      ++out.exception[std::string{parts->reason}];
    return true;
  }));
  return out;
}

/// A table that has no room while told so.
class narrow_table final : public projection_table {
public:
  caf::error write(const table_changes& changes) override {
    return full ? fault(ec::disk_full, "no room") : inner.write(changes);
  }
  caf::expected<std::optional<std::string>> get(std::string_view key) const override {
    return inner.get(key);
  }
  caf::error scan(const key_range& range, const visit_entry& visit) const override {
    return inner.scan(range, visit);
  }

  memory_table inner;
  bool full = false;
};

} // namespace

TEST_CASE("any order of signs leads to the same state", "[unit][machines]") {
  auto seed = GENERATE(1U, 2U, 3U);
  auto random = std::minstd_rand{seed};
  auto signs = random_signs(random, 200, 5);
  auto first = machine_world{};
  tell_all(first, signs, random);
  auto wanted = first.stored();
  auto at = that_morning + 24h * 61;
  auto page = first.table->list({}, at);
  REQUIRE(page);
  auto answer = encode(*page);
  auto orders = fault_count(150, 34'000);
  for (auto n = 0U; n < orders; ++n) {
    std::shuffle(signs.begin(), signs.end(), random);
    auto w = machine_world{};
    tell_all(w, signs, random);
    if (w.stored() != wanted) {
      INFO("seed " << seed << " order " << n);
      REQUIRE(w.stored() == wanted);
    }
    auto got = w.table->list({}, at);
    REQUIRE(got);
    REQUIRE(encode(*got) == answer);
  }
  // And so does reading it again from the table.
  first.restart();
  auto again = first.table->list({}, at);
  REQUIRE(again);
  CHECK(encode(*again) == answer);
}

TEST_CASE("counts are those of the history", "[unit][machines]") {
  auto random = std::minstd_rand{7};
  auto w = machine_world{};
  tell_all(w, random_signs(random, 3000, 4), random);
  auto wanted = counted(w);
  auto got = machine_counts{};
  auto page = w.table->list({}, that_morning);
  REQUIRE(page);
  for (const auto& x : page->machines) {
    got.running += x.counts.running;
    got.completed += x.counts.completed;
    got.failed += x.counts.failed;
    for (const auto& [reason, n] : x.counts.exception)
      got.exception[reason] += n;
  }
  CHECK(got.running == wanted.running);
  CHECK(got.completed == wanted.completed);
  CHECK(got.failed == wanted.failed);
  CHECK(got.exception == wanted.exception);
  CHECK(w.table->counters(that_morning).ignored.at("too-old") > 0);
}

TEST_CASE("a batch that cannot be written changes nothing", "[unit][machines]") {
  auto random = std::minstd_rand{11};
  auto narrow = std::make_shared<narrow_table>();
  auto w = machine_world{};
  w.disk = narrow;
  w.restart();
  auto early = random_signs(random, 300, 4);
  auto late = random_signs(random, 300, 8);
  tell_all(w, early, random);
  auto at = that_morning + 24h * 61;
  auto before = w.stored();
  auto answer = encode(*w.table->list({}, at));
  auto batch = event_batch{};
  for (const auto& x : late)
    batch.events.push_back(w.next(make_event(x, x.at)));
  auto gone = machine_forgotten{early[0].machine, at, "test"};
  batch.events.push_back(w.next(make_event(gone, at)));
  batch.next = w.sequence + 1;
  narrow->full = true;
  REQUIRE(w.table->apply(batch));
  CHECK(w.stored() == before);
  CHECK(encode(*w.table->list({}, at)) == answer);
  narrow->full = false;
  REQUIRE_FALSE(w.table->apply(batch));

  auto straight = machine_world{};
  tell_all(straight, early, random);
  auto same = event_batch{};
  for (auto x : batch.events) {
    x.sequence = ++straight.sequence;
    same.events.push_back(x);
  }
  same.next = straight.sequence + 1;
  REQUIRE_FALSE(straight.table->apply(same));
  CHECK(w.stored() == straight.stored());
}
