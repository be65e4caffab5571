#include "actors/runners/docker/call_limit.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>

namespace troupe {

using std::chrono::steady_clock;

limited_wait::limited_wait(const call_limit& limit) : limit_{limit} {
  if (!limit_.stop.stop_possible())
    return;
  wake_ = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  on_stop_.emplace(limit_.stop, std::function<void()>{[fd = wake_] {
                     // Cannot fail: the counter is far from its end. Without a
                     // descriptor the poll below falls back to short turns.
                     if (fd >= 0)
                       static_cast<void>(::eventfd_write(fd, 1));
                   }});
}

limited_wait::~limited_wait() {
  on_stop_.reset();
  if (wake_ >= 0)
    ::close(wake_);
}

limited_wait::outcome limited_wait::wait(int fd, short events) const {
  return poll_until(fd, events, limit_.until);
}

limited_wait::outcome limited_wait::pause(std::chrono::milliseconds span) const {
  auto until = steady_clock::now() + span;
  auto ended = poll_until(-1, 0, std::min(until, limit_.until));
  if (ended == outcome::timeout && until <= limit_.until)
    return outcome::ready;
  return ended;
}

limited_wait::outcome limited_wait::poll_until(int fd, short events,
                                               steady_clock::time_point until) const {
  auto fds = std::array{pollfd{fd, events, 0}, pollfd{wake_, POLLIN, 0}};
  for (;;) {
    if (limit_.stop.stop_requested())
      return outcome::stopped;
    auto left = std::chrono::ceil<std::chrono::milliseconds>(until - steady_clock::now()).count();
    if (left <= 0)
      return outcome::timeout;
    auto turn = std::min<int64_t>(left, limit_.stop.stop_possible() && wake_ < 0 ? 100 : 60'000);
    auto n = ::poll(fds.data(), fds.size(), static_cast<int>(turn));
    if (n > 0 && fds[0].revents != 0 && !limit_.stop.stop_requested())
      return outcome::ready;
  }
}

} // namespace troupe
