#include "bridges/http/process_metrics.hpp"

#include "bridges/http/metric_writer.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

namespace troupe {

namespace {

/// Returns the fields of /proc/self/stat from the third on ("state" is the first):
/// the second is the program's name and may hold blanks.
std::vector<double> own_stat() {
  auto in = std::ifstream{"/proc/self/stat"};
  auto text = std::string{};
  std::getline(in, text);
  auto end = text.rfind(')');
  if (end == std::string::npos || end + 4 > text.size())
    return {};
  auto rest = std::istringstream{text.substr(end + 4)};
  auto out = std::vector<double>{0};
  for (auto x = 0.0; rest >> x;)
    out.push_back(x);
  return out;
}

double boot_time() {
  auto in = std::ifstream{"/proc/stat"};
  for (auto line = std::string{}; std::getline(in, line);)
    if (line.rfind("btime ", 0) == 0)
      return std::strtod(line.c_str() + 6, nullptr);
  return 0;
}

} // namespace

void collect_process(std::vector<prometheus::MetricFamily>& to) {
  auto write = metric_writer{to};
  // Places of fields: proc(5), counted from "state".
  constexpr auto utime = size_t{11}, stime = size_t{12}, threads = size_t{17}, start = size_t{19},
                 virtual_size = size_t{20}, resident = size_t{21};
  auto stat = own_stat();
  auto ticks = static_cast<double>(sysconf(_SC_CLK_TCK));
  if (stat.size() > resident) {
    write.counter("process_cpu_seconds_total", "CPU time, user and system.",
                  (stat[utime] + stat[stime]) / ticks);
    write.gauge("process_virtual_memory_bytes", "Size of the address space.", stat[virtual_size]);
    write.gauge("process_resident_memory_bytes", "Memory in use.",
                stat[resident] * static_cast<double>(sysconf(_SC_PAGESIZE)));
    write.gauge("process_threads", "Threads.", stat[threads]);
    write.gauge("process_start_time_seconds", "When the process began, since the epoch.",
                boot_time() + stat[start] / ticks);
  }
  auto wrong = std::error_code{};
  auto files = std::filesystem::directory_iterator{"/proc/self/fd", wrong};
  if (!wrong)
    write.gauge("process_open_fds", "Open file descriptors.",
                static_cast<double>(std::distance(begin(files), end(files))));
  auto limit = rlimit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
    write.gauge("process_max_fds", "Most file descriptors.", static_cast<double>(limit.rlim_cur));
}

} // namespace troupe
