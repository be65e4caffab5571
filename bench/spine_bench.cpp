/// The figures of the spine: accepts over HTTP, jobs end to end, memory, start-up.
#include "bench/figure.hpp"
#include "bench/spine_jobs.hpp"
#include "bench/spine_node.hpp"

#include <exception>
#include <iostream>
#include <vector>

using namespace troupe::bench;

int main(int argc, char** argv) try {
  auto wanted = figure_choice{argc, argv};
  auto quick = is_quick(argc, argv);
  auto runs = quick ? 1U : 5U;
  auto accepts = std::vector<double>{};
  auto p99 = std::vector<double>{};
  auto cold = std::vector<double>{};
  auto idle = std::vector<double>{};
  auto idle_cpu = std::vector<double>{};
  auto over_http = std::vector<double>{};
  auto end_to_end = std::vector<double>{};
  for (auto i = 0U; i < runs; ++i) {
    if (wanted.has("http_accepts_per_s") || wanted.has("http_accept_p99_ms")) {
      auto load = measure_accepts();
      accepts.push_back(load.per_second);
      p99.push_back(load.p99_ms);
    }
    if (wanted.has("cold_start_ms") || wanted.has("idle_rss_mib")
        || wanted.has("idle_cpu_percent")) {
      auto rest = measure_idle();
      cold.push_back(rest.cold_start_ms);
      idle.push_back(rest.resident_mib);
      idle_cpu.push_back(rest.cpu_percent);
    }
    if (wanted.has("jobs_over_http_per_s"))
      over_http.push_back(measure_jobs_over_http());
    if (wanted.has("jobs_end_to_end_per_s"))
      end_to_end.push_back(measure_jobs_end_to_end(quick ? 10'000 : 100'000));
  }
  print_figure("http_accepts_per_s", "1/s", accepts);
  print_figure("http_accept_p99_ms", "ms", p99);
  print_figure("jobs_end_to_end_per_s", "1/s", end_to_end);
  print_figure("jobs_over_http_per_s", "1/s", over_http);
  print_figure("cold_start_ms", "ms", cold);
  print_figure("idle_rss_mib", "MiB", idle);
  print_figure("idle_cpu_percent", "%", idle_cpu);
  // The name says how many: a quick run does not measure fewer.
  if (wanted.has("queued_1e5_jobs_mib"))
    print_figure("queued_1e5_jobs_mib", "MiB", {measure_queued(100'000)});
  if (wanted.has("queued_1e6_jobs_mib"))
    print_figure("queued_1e6_jobs_mib", "MiB", {measure_queued(1'000'000)});
  if (wanted.has("container_overhead_s"))
    print_figure("container_overhead_s", "s", measure_container_overhead(runs));
  return 0;
} catch (const std::exception& why) {
  std::cerr << "spine_bench: " << why.what() << '\n';
  return 1;
}
