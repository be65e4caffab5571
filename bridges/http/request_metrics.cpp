#include "bridges/http/request_metrics.hpp"

#include "bridges/http/metric_writer.hpp"

#include <algorithm>

namespace troupe {

namespace {

/// A method that no route has is whatever a stranger sent.
std::string_view known_method(std::string_view method) {
  constexpr auto known =
    std::array<std::string_view, 7>{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"};
  return std::find(known.begin(), known.end(), method) == known.end() ? "other" : method;
}

} // namespace

void request_metrics::count(std::string_view route, std::string_view method, int status,
                            std::chrono::nanoseconds took) {
  auto seconds = std::chrono::duration<double>(took).count();
  auto step =
    static_cast<size_t>(std::lower_bound(steps.begin(), steps.end(), seconds) - steps.begin());
  auto guard = std::lock_guard{mutex_};
  ++requests_[{std::string{route}, std::string{known_method(method)}, status}];
  auto i = durations_.find(route);
  if (i == durations_.end())
    i = durations_.emplace(std::string{route}, durations{}).first;
  ++i->second.counts[step];
  i->second.sum += seconds;
}

void request_metrics::collect(std::vector<prometheus::MetricFamily>& to) const {
  auto write = metric_writer{to};
  auto guard = std::lock_guard{mutex_};
  write.begin("http_requests_total", prometheus::MetricType::Counter, "Answered requests.");
  for (const auto& [key, count] : requests_) {
    const auto& [route, method, code] = key;
    write.add({{"route", route}, {"method", method}, {"code", std::to_string(code)}},
              static_cast<double>(count));
  }
  write.begin("http_request_duration_seconds", prometheus::MetricType::Histogram,
              "From a complete request to its answer; of live streams, to their begin.");
  for (const auto& [route, x] : durations_) {
    auto out = prometheus::ClientMetric::Histogram{};
    for (auto i = size_t{0}; i < steps.size(); ++i)
      out.bucket.push_back({out.sample_count += x.counts[i], steps[i]});
    out.sample_count += x.counts.back();
    out.sample_sum = x.sum;
    write.add({{"route", route}}, std::move(out));
  }
}

} // namespace troupe
