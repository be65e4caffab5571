/// The figures of the spine: accepts over HTTP, jobs end to end, memory, start-up.
#include "bench/figure.hpp"
#include "bench/spine_jobs.hpp"
#include "bench/spine_node.hpp"

#include <exception>
#include <iostream>
#include <string_view>
#include <vector>

using namespace troupe::bench;

namespace {

/// Which figures to measure: all, or those named by `--only NAME`.
class choice {
public:
  choice(int argc, char** argv) : words_{argv + 1, argv + argc} {}

  bool has(std::string_view figure) const {
    auto all = true;
    for (auto i = size_t{0}; i + 1 < words_.size(); ++i)
      if (words_[i] == "--only") {
        if (words_[i + 1] == figure)
          return true;
        all = false;
      }
    return all;
  }

private:
  std::vector<std::string_view> words_;
};

void print_unless_empty(const char* name, const char* unit, const std::vector<double>& values) {
  if (!values.empty())
    print_figure(name, unit, values);
}

} // namespace

int main(int argc, char** argv) try {
  auto wanted = choice{argc, argv};
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
  print_unless_empty("http_accepts_per_s", "1/s", accepts);
  print_unless_empty("http_accept_p99_ms", "ms", p99);
  print_unless_empty("jobs_end_to_end_per_s", "1/s", end_to_end);
  print_unless_empty("jobs_over_http_per_s", "1/s", over_http);
  print_unless_empty("cold_start_ms", "ms", cold);
  print_unless_empty("idle_rss_mib", "MiB", idle);
  print_unless_empty("idle_cpu_percent", "%", idle_cpu);
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
