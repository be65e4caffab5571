/// The figures of the object pipeline: inside one node, and published to a broker.
#include "bench/figure.hpp"
#include "bench/pipeline_embedded.hpp"

#include <cstdio>
#include <exception>

using namespace troupe::bench;

int main(int argc, char** argv) try {
  auto quick = is_quick(argc, argv);
  auto runs = quick ? 1U : 5U;
  auto objects = quick ? size_t{20'000} : size_t{100'000};
  auto embedded = std::vector<double>{};
  for (auto i = 0U; i < runs; ++i) {
    embedded.push_back(measure_objects_embedded(objects));
    std::fprintf(stderr, "embedded: %.0f objects/s\n", embedded.back());
  }
  print_figure("objects_embedded_per_s", "1/s", embedded);
  return 0;
} catch (const std::exception& why) {
  std::fprintf(stderr, "pipeline_bench: %s\n", why.what());
  return 1;
}
