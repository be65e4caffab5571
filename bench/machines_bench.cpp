/// The figures of the machine tracker: from a queue to durable state, and how fast it answers.
#include "bench/figure.hpp"
#include "bench/machines_feed.hpp"
#include "bench/machines_scale.hpp"

#include <cstdio>
#include <exception>

using namespace troupe::bench;

namespace {

/// Prints how often the peer's rate ours is, run by run.
void print_ratio(const char* figure, const std::vector<double>& ours, const peer& other) {
  auto ratios = std::vector<double>{};
  for (auto i = size_t{0}; i < ours.size(); ++i)
    ratios.push_back(ours[i] / other.values[i]);
  print_figure(figure, "1", ratios);
}

} // namespace

int main(int argc, char** argv) try {
  auto wanted = figure_choice{argc, argv};
  auto quick = is_quick(argc, argv);
  auto runs = quick ? 1U : 5U;
  auto asks = quick ? 20U : 200U;
  if (wanted.has("tracker_messages_per_s") || wanted.has("tracker_vs_each_ratio")
      || wanted.has("tracker_vs_bare_ratio")) {
    auto broker = troupe::tests::private_broker{};
    auto feed = measure_feed(broker, runs, quick ? 50'000 : 100'000);
    print_figure("tracker_messages_per_s", "1/s", feed.ours, feed.batch);
    print_ratio("tracker_vs_each_ratio", feed.ours, feed.each);
    print_ratio("tracker_vs_bare_ratio", feed.ours, feed.bare);
  }
  if (wanted.has("machines_list_1e4_ms"))
    print_figure("machines_list_1e4_ms", "ms", measure_list(10'000, asks));
  if (wanted.has("rebuild_1e6_s"))
    print_figure("rebuild_1e6_s", "s", {measure_rebuild(1'000'000)});
  // The names say how many: a quick run does not measure fewer.
  if (wanted.has("machines_page_1e6_ms") || wanted.has("machines_1e6_mib")
      || wanted.has("machine_get_ms")) {
    auto scale = measure_scale(1'000'000, asks);
    print_figure("machines_page_1e6_ms", "ms", scale.page_ms);
    print_figure("machine_get_ms", "ms", scale.get_ms);
    print_figure("machines_1e6_mib", "MiB", {scale.resident_mib});
  }
  return 0;
} catch (const std::exception& why) {
  std::fprintf(stderr, "machines_bench: %s\n", why.what());
  return 1;
}
