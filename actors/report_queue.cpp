#include "actors/report_queue.hpp"

#include <algorithm>
#include <utility>

namespace troupe {

namespace {

constexpr auto most_reports = size_t{1024};
constexpr auto most_bytes = size_t{4} << 20;

size_t size_of(const run_report& report) {
  auto out = 256 + report.note.size();
  for (const auto& step : report.stages)
    out += 256 + step.output.size() + step.note.size();
  return out;
}

run_key key_of(const run_report& report) {
  return {report.job, report.run_id};
}

} // namespace

void report_queue::push(run_report report) {
  queue_.push_back(std::move(report));
}

std::vector<run_report> report_queue::next() {
  if (out_ > 0)
    return {};
  auto most = alone_ > 0 ? size_t{1} : most_reports;
  auto bytes = size_t{0};
  auto out = std::vector<run_report>{};
  for (const auto& report : queue_) {
    bytes += size_of(report);
    if (!out.empty() && (out.size() == most || bytes > most_bytes))
      break;
    out.push_back(report);
  }
  out_ = out.size();
  return out;
}

std::vector<run_key> report_queue::taken() {
  auto out = std::vector<run_key>{};
  alone_ -= std::min(alone_, out_);
  for (; out_ > 0; --out_) {
    out.push_back(key_of(queue_.front()));
    queue_.pop_front();
  }
  return out;
}

void report_queue::failed() {
  out_ = 0;
}

std::optional<run_key> report_queue::refused(const std::string& why) {
  auto n = std::exchange(out_, 0);
  if (n > 1) {
    alone_ = n;
    return std::nullopt;
  }
  auto& report = queue_.front();
  if (!report.stages.empty()) {
    report.stages.clear();
    report.note = "the stages of this run were refused: " + why;
    return std::nullopt;
  }
  auto out = key_of(report);
  queue_.pop_front();
  alone_ -= std::min(alone_, n);
  return out;
}

} // namespace troupe
