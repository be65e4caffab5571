#include "nodes/signals.hpp"

#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdint>

namespace troupe {

namespace {

/// Takes one signal from the queue.
bool is_hangup(int signals) {
  auto what = signalfd_siginfo{};
  return read(signals, &what, sizeof what) == sizeof what && what.ssi_signo == SIGHUP;
}

} // namespace

signal_watch::signal_watch() {
  auto set = sigset_t{};
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGHUP);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  signals_ = signalfd(-1, &set, SFD_CLOEXEC);
  wakeup_ = eventfd(0, EFD_CLOEXEC);
}

signal_watch::~signal_watch() {
  close(signals_);
  close(wakeup_);
}

void signal_watch::raise(int code) {
  auto none = 0;
  code_.compare_exchange_strong(none, code);
  auto one = uint64_t{1};
  // An eventfd takes 2^64-2 wake-ups before it would refuse one.
  static_cast<void>(!write(wakeup_, &one, sizeof one));
}

int signal_watch::raised() const {
  return code_;
}

int signal_watch::wait(const std::function<void()>& on_hangup, const life_sign& is_alive) {
  using std::chrono::milliseconds;
  using clock = std::chrono::steady_clock;
  auto period_us = uint64_t{0};
  auto is_watched = sd_watchdog_enabled(0, &period_us) > 0;
  // A quarter until the question and two for its answer: the dog waits for four.
  auto quarter = milliseconds{std::max<uint64_t>(period_us / 4000, 1)};
  auto next = clock::now() + quarter;
  auto fds = std::array<pollfd, 2>{{{signals_, POLLIN, 0}, {wakeup_, POLLIN, 0}}};
  while (true) {
    auto rest = std::chrono::ceil<milliseconds>(next - clock::now());
    auto timeout = is_watched ? static_cast<int>(std::max<int64_t>(rest.count(), 0)) : -1;
    auto n = poll(fds.data(), fds.size(), timeout);
    if (n > 0 && (fds[1].revents != 0 || !is_hangup(signals_)))
      return code_;
    if (n > 0)
      on_hangup();
    if (is_watched && clock::now() >= next) {
      if (is_alive(2 * quarter))
        sd_notify(0, "WATCHDOG=1");
      next = clock::now() + quarter;
    }
  }
}

void notify_ready() {
  sd_notify(0, "READY=1");
}

void notify_stopping() {
  sd_notify(0, "STOPPING=1");
}

} // namespace troupe
