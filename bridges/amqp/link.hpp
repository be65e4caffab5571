#pragma once

#include "bridges/amqp/session.hpp"
#include "messages/amqp.hpp"

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace troupe {

/// How a link connects and how long it waits before it tries again.
struct link_options {
  std::string name;                   ///< "consume" or "publish".
  std::vector<amqp_endpoint> brokers; ///< Tried in turn.
  session_options how;
  std::chrono::milliseconds first_backoff{250};
  std::chrono::milliseconds longest_backoff{30'000};
};

/// What is done over one connection. All but nothing is called on the link's thread.
class link_duty {
public:
  virtual ~link_duty() = default;

  /// The connection is there. Errors end it; the link tries again.
  virtual caf::error opened(session& at) = 0;
  /// A frame has come; what is neither a heartbeat nor of the connection itself.
  virtual caf::error frame(session& at, const amqp_frame_t& in) = 0;
  /// Called in each turn, at least twice a second: does what was asked for, looks at the clock.
  virtual caf::error work(session& at) = 0;
  /// False while nothing more can be taken: frames wait in the socket.
  virtual bool reads() const {
    return true;
  }
  /// True while `work` has more to do at once.
  virtual bool busy() const {
    return false;
  }
  /// The connection has ended.
  virtual void closed() = 0;
  /// The broker stops or starts to take messages.
  virtual void blocked(bool) {}
};

/// Keeps one connection to a broker, on a thread of its own, which is the only one that
/// touches it: connects, waits, watches the heartbeat, connects again after a while that is
/// random (full jitter) and bounded by half of the outage.
///
/// Threads: any, but for the duty.
class link {
public:
  /// `changed` is called on the link's thread when the status is another one.
  link(link_options options, std::shared_ptr<link_duty> duty, std::function<void()> changed);
  /// Stops at once if `stop` was not called.
  ~link();

  /// Makes the thread look for work.
  void wake();
  /// Says goodbye to the broker and ends the thread; what does not end in time is cut off.
  void stop(std::chrono::milliseconds limit);

  /// Cuts a connection whose thread hangs in it: a write to a peer that reads nothing has no
  /// end. Call it every few seconds.
  void watch();

  amqp_link_status status() const;
  /// True while the connection is usable.
  bool up() const;

private:
  struct core;
  std::shared_ptr<core> core_;
  std::thread thread_;
};

} // namespace troupe
