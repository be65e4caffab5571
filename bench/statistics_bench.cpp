#include "actors/statistics/statistics_fold.hpp"
#include "bench/figure.hpp"
#include "tests/support/temp_folder.hpp"
#include "tests/support/work_script.hpp"

#include <chrono>
#include <cstdlib>

/// How fast the statistics count: a generated journal of objects, tasks and tests, with
/// one of eight events told again, into a real store.
namespace troupe::bench {

namespace {

std::vector<event_batch> journal_of(size_t events) {
  constexpr auto batch_size = size_t{4096};
  auto script = tests::work_script{1};
  auto all = script.take(events);
  auto out = std::vector<event_batch>{};
  for (auto at = size_t{0}; at < all.size(); at += batch_size) {
    auto end = std::min(at + batch_size, all.size());
    auto& batch = out.emplace_back();
    batch.events.assign(all.begin() + static_cast<ptrdiff_t>(at),
                        all.begin() + static_cast<ptrdiff_t>(end));
    batch.next = batch.events.back().sequence + 1;
  }
  return out;
}

/// Returns events per second of one fold of all batches.
double fold_rate(const std::vector<event_batch>& batches) {
  auto folder = tests::temp_folder{};
  auto store = database::open(folder.path() + "/store");
  if (!store)
    std::exit(1);
  auto fold = statistics_fold{make_projection_table(*store, family::statistics)};
  if (fold.open())
    std::exit(1);
  auto start = std::chrono::steady_clock::now();
  auto events = size_t{0};
  for (const auto& batch : batches) {
    if (fold.apply(batch))
      std::exit(1);
    events += batch.events.size();
  }
  auto took = std::chrono::duration<double>(std::chrono::steady_clock::now() - start);
  return static_cast<double>(events) / took.count();
}

} // namespace

} // namespace troupe::bench

int main(int argc, char** argv) {
  using namespace troupe::bench;
  auto quick = is_quick(argc, argv);
  auto batches = journal_of(quick ? 200'000 : 1'000'000);
  auto rates = std::vector<double>{};
  for (auto i = 0; i < (quick ? 1 : 5); ++i)
    rates.push_back(fold_rate(batches));
  print_figure("statistics_fold_per_s", "1/s", rates);
}
