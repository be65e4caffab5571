#pragma once

#include <atomic>
#include <chrono>
#include <functional>

namespace troupe {

/// Waits for SIGTERM or SIGINT, or for a part of the node that cannot go on.
///
/// Threads: construct before any other thread exists, so that all inherit the
/// mask; `raise` from any thread.
class signal_watch {
public:
  signal_watch();
  ~signal_watch();
  signal_watch(const signal_watch&) = delete;
  signal_watch& operator=(const signal_watch&) = delete;

  /// Ends `wait` with this exit code.
  void raise(int code);

  /// Returns the raised code, 0 if none.
  int raised() const;

  /// Returns within the limit whether the node works.
  using life_sign = std::function<bool(std::chrono::milliseconds limit)>;

  /// Blocks until a signal (returns 0) or `raise`; calls `on_hangup` at each SIGHUP.
  /// Feeds systemd's watchdog meanwhile, but only after `is_alive` has said yes:
  /// a node whose threads run and whose actors hang is to be started again.
  int wait(const std::function<void()>& on_hangup, const life_sign& is_alive);

private:
  int signals_ = -1;
  int wakeup_ = -1;
  std::atomic<int> code_{0};
};

/// Tells systemd that the node serves; nothing happens without systemd.
void notify_ready();

/// Tells systemd that the node is leaving.
void notify_stopping();

} // namespace troupe
