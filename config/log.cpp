#include "config/log.hpp"

#include "config/log_line.hpp"
#include "messages/time.hpp"

#include <spdlog/logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/base_sink.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <mutex>
#include <shared_mutex>

namespace troupe {

namespace {

/// One write per line and nothing else: nothing is lost when the process dies,
/// and no line pays for a flush.
class stderr_sink final : public spdlog::sinks::base_sink<std::mutex> {
  void sink_it_(const spdlog::details::log_msg& msg) override {
    auto line = spdlog::memory_buf_t{};
    formatter_->format(msg, line);
    auto from = line.data();
    auto left = line.size();
    while (left > 0) {
      auto n = ::write(STDERR_FILENO, from, left);
      if (n < 0 && errno == EINTR)
        continue;
      if (n <= 0)
        return; // Nobody reads our log; there is no better place to say so.
      from += n;
      left -= static_cast<size_t>(n);
    }
  }
  void flush_() override {}
};

struct log_state {
  std::atomic<log_level> lowest{log_level::info};
  std::shared_mutex mutex;
  log_context context; ///< Guarded by `mutex`.
  spdlog::logger out{"troupe", std::make_shared<stderr_sink>()};

  log_state() {
    out.set_formatter(
      std::make_unique<spdlog::pattern_formatter>("%v", spdlog::pattern_time_type::utc));
    out.set_level(spdlog::level::trace);
  }
};

/// Never destroyed: threads may still log while the process ends.
log_state& state() {
  static auto& x = *new log_state;
  return x;
}

spdlog::level::level_enum to_spdlog(log_level level) {
  switch (level) {
    case log_level::debug: return spdlog::level::debug;
    case log_level::info: return spdlog::level::info;
    case log_level::warning: return spdlog::level::warn;
    case log_level::error: return spdlog::level::err;
  }
  return spdlog::level::err;
}

} // namespace

void log(log_level level, std::string_view actor, std::string_view message,
         std::initializer_list<log_field> fields) {
  auto& st = state();
  if (level < st.lowest.load(std::memory_order_relaxed))
    return;
  auto line = std::string{};
  {
    auto lock = std::shared_lock{st.mutex};
    line = log_line(now(), level, st.context, actor, message, fields);
  }
  st.out.log(to_spdlog(level), spdlog::string_view_t{line.data(), line.size()});
}

void set_log(std::string node, log_level lowest) {
  auto& st = state();
  auto lock = std::unique_lock{st.mutex};
  st.context.node = std::move(node);
  st.lowest.store(lowest, std::memory_order_relaxed);
}

void mask_in_log(std::string secret) {
  if (secret.size() < 4)
    return;
  auto& st = state();
  auto lock = std::unique_lock{st.mutex};
  auto& all = st.context.secrets;
  if (std::find(all.begin(), all.end(), secret) != all.end())
    return;
  // Longest first, so that a secret that contains another one leaves no rest.
  auto longer = [](const std::string& a, const std::string& b) { return a.size() > b.size(); };
  all.insert(std::upper_bound(all.begin(), all.end(), secret, longer), std::move(secret));
}

bool logs(log_level level) {
  return level >= state().lowest.load(std::memory_order_relaxed);
}

} // namespace troupe
