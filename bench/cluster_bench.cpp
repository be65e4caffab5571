/// The figures of a cluster: jobs and events between nodes that are joined over TLS.
#include "bench/cluster_jobs.hpp"
#include "bench/cluster_pull.hpp"
#include "bench/figure.hpp"

#include <cstdio>
#include <exception>

using namespace troupe::bench;

int main(int argc, char** argv) try {
  auto quick = is_quick(argc, argv);
  auto runs = quick ? 1U : 5U;
  auto jobs = quick ? size_t{30'000} : size_t{100'000};
  auto remote = std::vector<double>{};
  auto ratio = std::vector<double>{};
  for (auto i = 0U; i < runs; ++i) {
    auto far = measure_remote_jobs(jobs);
    auto near = measure_local_jobs(jobs);
    remote.push_back(far.per_second);
    ratio.push_back(far.cpu_seconds / near.cpu_seconds);
    std::fprintf(stderr, "%.0f jobs/s at %.1f us, in one process %.0f jobs/s at %.1f us\n",
                 far.per_second, far.cpu_seconds * 1e6, near.per_second, near.cpu_seconds * 1e6);
  }
  print_figure("remote_jobs_per_s", "1/s", remote);
  print_figure("event_pull_per_s", "1/s", measure_event_pull(quick ? 200'000 : 1'000'000, runs));
  print_figure("remote_job_cost_ratio", "1", ratio);
  return 0;
} catch (const std::exception& why) {
  std::fprintf(stderr, "cluster_bench: %s\n", why.what());
  return 1;
}
