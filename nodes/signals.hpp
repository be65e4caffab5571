#pragma once

#include <atomic>
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

  /// Blocks until a signal (returns 0) or `raise`; feeds systemd's watchdog
  /// meanwhile and calls `on_hangup` at each SIGHUP.
  int wait(const std::function<void()>& on_hangup);

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
