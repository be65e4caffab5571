#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>

namespace troupe {

/// How long a call may take and who may end it before.
struct call_limit {
  std::chrono::steady_clock::time_point until;
  std::stop_token stop;
};

/// Returns the limit "`span` from now".
inline call_limit within(std::chrono::milliseconds span, std::stop_token stop = {}) {
  return {std::chrono::steady_clock::now() + span, std::move(stop)};
}

/// Waits for a descriptor under a `call_limit`; a stop request wakes it at once.
class limited_wait {
public:
  enum class outcome : uint8_t { ready, timeout, stopped };

  explicit limited_wait(const call_limit& limit);
  ~limited_wait();
  limited_wait(const limited_wait&) = delete;
  limited_wait& operator=(const limited_wait&) = delete;

  /// Waits until `fd` shows one of `events` (of poll; POLLERR and POLLHUP count as ready).
  outcome wait(int fd, short events) const;

  /// Waits `span`, or less if the limit or a stop comes first.
  outcome pause(std::chrono::milliseconds span) const;

private:
  outcome poll_until(int fd, short events, std::chrono::steady_clock::time_point until) const;

  call_limit limit_;
  int wake_ = -1;
  std::optional<std::stop_callback<std::function<void()>>> on_stop_;
};

} // namespace troupe
