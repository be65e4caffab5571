#include "nodes/cli/stats_text.hpp"

#include "nodes/cli/table.hpp"

#include <array>
#include <cstdio>

namespace troupe::cli {

namespace {

constexpr auto block_width = size_t{80};

std::string seconds_text(double x) {
  auto out = std::array<char, 32>{};
  std::snprintf(out.data(), out.size(), x < 10 ? "%.3f" : x < 1000 ? "%.1f" : "%.0f", x);
  return out.data();
}

std::string count_text(uint64_t x) {
  return std::to_string(x);
}

std::vector<cell> work_row(const std::string& name, const work_report& x) {
  return {{name},
          {count_text(x.distributed)},
          {count_text(x.waiting)},
          {count_text(x.in_progress)},
          {count_text(x.processed), color::green},
          {count_text(x.failed), x.failed > 0 ? color::yellow : color::none},
          {count_text(x.retried)},
          {count_text(x.dead), x.dead > 0 ? color::red : color::none},
          {seconds_text(x.spend.p50_s)},
          {seconds_text(x.spend.p90_s)},
          {seconds_text(x.spend.p99_s)}};
}

std::string work_table(const terminal& io, const char* title,
                       const std::map<std::string, work_report>& groups) {
  if (groups.empty())
    return {};
  auto rows = std::vector<std::vector<cell>>{};
  for (const auto& [name, x] : groups)
    rows.push_back(work_row(name, x));
  return '\n'
         + table_text(io,
                      {title, "GIVEN", "WAITING", "RUNNING", "DONE", "FAILED", "RETRIED", "DEAD",
                       "P50 S", "P90 S", "P99 S"},
                      rows);
}

std::vector<cell> rate_row(const std::string& name, const event_rate& x) {
  return {{name},
          {seconds_text(x.minute)},
          {seconds_text(x.five_minutes)},
          {seconds_text(x.fifteen_minutes)}};
}

std::string rates_table(const terminal& io, const statistics_report& x) {
  auto rows = std::vector<std::vector<cell>>{};
  if (x.generated > 0)
    rows.push_back(rate_row("objects", x.generated_rate));
  for (const auto& [kind, rates] : x.rates) {
    rows.push_back(rate_row(kind + " given", rates.distributed));
    rows.push_back(rate_row(kind + " done", rates.processed));
  }
  return rows.empty() ? std::string{}
                      : '\n' + table_text(io, {"PER SECOND", "1 MIN", "5 MIN", "15 MIN"}, rows);
}

} // namespace

std::string stats_text(const terminal& io, const statistics_report& x) {
  auto out = table_text(io, {"OBJECTS", "OPEN", "COMPLETED", "AVG S", "P99 S"},
                        {{{count_text(x.generated)},
                          {count_text(x.objects.open)},
                          {count_text(x.objects.completed)},
                          {seconds_text(x.objects.wall_avg_s)},
                          {seconds_text(x.objects.wall.p99_s)}}});
  out += work_table(io, "KIND", x.kinds);
  out += work_table(io, "QUEUE", x.queues);
  out += work_table(io, "RUNNER", x.runners);
  return out + rates_table(io, x);
}

std::string console_block(const statistics_report& x) {
  auto line = std::string(block_width, '=') + '\n';
  return line + "self.processed=" + count_text(x.processed) + "\nself.distributed="
         + count_text(x.distributed) + "\nself.generated=" + count_text(x.generated)
         + "\nself.in_progress=" + count_text(x.in_progress) + '\n' + line;
}

} // namespace troupe::cli
