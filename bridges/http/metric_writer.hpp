#pragma once

#include <prometheus/metric_family.h>

#include <limits>
#include <string>
#include <utility>
#include <vector>

namespace troupe {

/// Writes metric families one after the other: `begin` one, then `add` its values.
/// One without values is left out.
class metric_writer {
public:
  using labels = std::vector<std::pair<std::string, std::string>>;

  explicit metric_writer(std::vector<prometheus::MetricFamily>& to) : to_{to} {}
  ~metric_writer() {
    drop_empty();
  }
  metric_writer(const metric_writer&) = delete;
  metric_writer& operator=(const metric_writer&) = delete;

  void begin(std::string name, prometheus::MetricType type, std::string help) {
    drop_empty();
    to_.push_back({std::move(name), std::move(help), type, {}});
    began_ = true;
  }

  void add(const labels& by, double value) {
    auto& out = next(by);
    if (to_.back().type == prometheus::MetricType::Counter)
      out.counter.value = value;
    else
      out.gauge.value = value;
  }

  /// Buckets are cumulative and without the one for infinity.
  void add(const labels& by, prometheus::ClientMetric::Histogram value) {
    value.bucket.push_back({value.sample_count, std::numeric_limits<double>::infinity()});
    next(by).histogram = std::move(value);
  }

  /// Writes a family of one value without labels.
  void counter(std::string name, std::string help, double value) {
    begin(std::move(name), prometheus::MetricType::Counter, std::move(help));
    add({}, value);
  }
  void gauge(std::string name, std::string help, double value) {
    begin(std::move(name), prometheus::MetricType::Gauge, std::move(help));
    add({}, value);
  }

private:
  prometheus::ClientMetric& next(const labels& by) {
    auto& out = to_.back().metric.emplace_back();
    for (const auto& [name, text] : by)
      out.label.push_back({name, text});
    return out;
  }

  void drop_empty() {
    if (std::exchange(began_, false) && to_.back().metric.empty())
      to_.pop_back();
  }

  std::vector<prometheus::MetricFamily>& to_;
  bool began_ = false;
};

} // namespace troupe
