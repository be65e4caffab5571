#include "nodes/cluster/refusal_log.hpp"

#include "config/log.hpp"

#include <utility>

namespace troupe {

void refusal_log::note(refusal why, const std::string& address, const std::string& name,
                       const std::string& detail) {
  const auto at = static_cast<size_t>(why);
  ++counters_.refused[at];
  auto now = std::chrono::steady_clock::now();
  auto unsaid = uint64_t{0};
  {
    auto lock = std::lock_guard{mutex_};
    auto& line = lines_[at];
    if (now < line.next) {
      ++line.unsaid;
      return;
    }
    unsaid = std::exchange(line.unsaid, 0);
    line.next = now + std::chrono::seconds{10};
  }
  log(log_level::warning, "transport", "connection refused",
      {{"peer", address},
       {"name", name},
       {"reason", to_string(why)},
       {"words", in_words(why)},
       {"detail", detail},
       {"more_since_last_line", unsaid}});
}

} // namespace troupe
