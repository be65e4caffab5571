#include "actors/stage_queue.hpp"

#include <utility>

namespace troupe {

namespace {

constexpr auto most_stages_sent = size_t{1024};
constexpr auto most_stage_bytes_sent = size_t{1} << 20;
constexpr auto most_stages_kept = size_t{4096};
constexpr auto most_stage_bytes_kept = size_t{16} << 20;

size_t size_of_progress(const stage_report& report) {
  return 256 + report.step.name.size() + report.step.note.size() + report.step.output.size();
}

} // namespace

bool stage_queue::push(stage_report report) {
  auto size = size_of_progress(report);
  if (queue_.size() >= most_stages_kept || bytes_ + size > most_stage_bytes_kept)
    return false;
  bytes_ += size;
  queue_.push_back(std::move(report));
  return true;
}

std::vector<stage_report> stage_queue::next() {
  auto out = std::vector<stage_report>{};
  auto bytes = size_t{0};
  while (!queue_.empty() && out.size() < most_stages_sent) {
    auto size = size_of_progress(queue_.front());
    if (!out.empty() && bytes + size > most_stage_bytes_sent)
      break;
    bytes += size;
    bytes_ -= size;
    out.push_back(std::move(queue_.front()));
    queue_.pop_front();
  }
  return out;
}

} // namespace troupe
