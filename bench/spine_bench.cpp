/// The figures of the spine: accepts over HTTP, jobs end to end, memory, start-up.
#include "bench/figure.hpp"
#include "bench/spine_jobs.hpp"
#include "bench/spine_node.hpp"

#include <iostream>

using namespace troupe::bench;

int main(int argc, char** argv) {
  auto runs = is_quick(argc, argv) ? 1U : 5U;
  auto queued = is_quick(argc, argv) ? 10'000U : 100'000U;
  auto accepts = std::vector<double>{};
  auto p99 = std::vector<double>{};
  auto cold = std::vector<double>{};
  auto idle = std::vector<double>{};
  auto idle_cpu = std::vector<double>{};
  auto over_http = std::vector<double>{};
  auto end_to_end = std::vector<double>{};
  for (auto i = 0U; i < runs; ++i) {
    auto load = measure_accepts();
    accepts.push_back(load.per_second);
    p99.push_back(load.p99_ms);
    auto rest = measure_idle();
    cold.push_back(rest.cold_start_ms);
    idle.push_back(rest.resident_mib);
    idle_cpu.push_back(rest.cpu_percent);
    over_http.push_back(measure_jobs_over_http());
    end_to_end.push_back(measure_jobs_end_to_end(queued));
  }
  print_figure("http_accepts_per_s", "1/s", accepts);
  print_figure("http_accept_p99_ms", "ms", p99);
  print_figure("jobs_end_to_end_per_s", "1/s", end_to_end);
  print_figure("jobs_over_http_per_s", "1/s", over_http);
  print_figure("cold_start_ms", "ms", cold);
  print_figure("idle_rss_mib", "MiB", idle);
  print_figure("idle_cpu_percent", "%", idle_cpu);
  print_figure("queued_1e5_jobs_mib", "MiB", {measure_queued(queued)});
  if (!is_quick(argc, argv))
    print_figure("queued_1e6_jobs_mib", "MiB", {measure_queued(1'000'000)});
  if (auto overhead = measure_container_overhead(runs); !overhead.empty())
    print_figure("container_overhead_s", "s", overhead);
  else
    std::cerr
      << "container_overhead_s: no container engine answers; start one and set DOCKER_HOST\n";
  return 0;
}
