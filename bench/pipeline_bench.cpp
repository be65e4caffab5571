/// The figures of the object pipeline: inside one node, and published to a broker.
#include "bench/figure.hpp"
#include "bench/pipeline_embedded.hpp"
#include "bench/pipeline_published.hpp"

#include <cstdio>
#include <exception>

using namespace troupe::bench;
using troupe::tests::private_broker;

namespace {

/// Measures the pipeline and its peer with one type of queue, one after the other in each run.
void measure(const private_broker& broker, const char* figure, const char* queue_type, bool quick) {
  auto runs = quick ? 1U : 5U;
  auto ours = std::vector<double>{};
  auto theirs = peer{"pika and SQLite", {}};
  for (auto i = 0U; i < runs; ++i) {
    ours.push_back(measure_objects_published(broker, queue_type, quick ? 5'000 : 20'000));
    theirs.values.push_back(measure_peer(broker, queue_type, quick ? 300 : 1'000));
    std::fprintf(stderr, "%s: %.0f objects/s, pika %.0f\n", queue_type, ours.back(),
                 theirs.values.back());
  }
  print_figure(figure, "1/s", ours, theirs);
}

} // namespace

int main(int argc, char** argv) try {
  auto quick = is_quick(argc, argv);
  auto runs = quick ? 1U : 5U;
  auto wanted = figure_choice{argc, argv};
  auto embedded = std::vector<double>{};
  for (auto i = 0U; i < runs && wanted.has("objects_embedded_per_s"); ++i) {
    embedded.push_back(measure_objects_embedded(quick ? 20'000 : 100'000));
    std::fprintf(stderr, "embedded: %.0f objects/s\n", embedded.back());
  }
  print_figure("objects_embedded_per_s", "1/s", embedded);
  auto broker = private_broker{};
  if (wanted.has("objects_published_per_s"))
    measure(broker, "objects_published_per_s", "quorum", quick);
  if (wanted.has("objects_published_classic_per_s"))
    measure(broker, "objects_published_classic_per_s", "classic", quick);
  return 0;
} catch (const std::exception& why) {
  std::fprintf(stderr, "pipeline_bench: %s\n", why.what());
  return 1;
}
