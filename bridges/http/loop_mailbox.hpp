#pragma once

#include "bridges/http/server.hpp"

#include <atomic>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

namespace troupe {

/// What other threads ask of the loop about one connection.
struct loop_order {
  enum class kind {
    answer, ///< A worker's answer; `stream` set: its head, the stream begins after it.
    write,  ///< Bytes of a live stream.
    finish, ///< End of a live stream.
    stop,   ///< The server stops; `connection` is not used.
  };
  kind what = kind::answer;
  uint64_t connection = 0;
  std::string bytes;
  int status = 0;
  size_t held = 0; ///< Bytes that the worker has given back.
  std::function<void(stream_writer)> stream;
  http_response head;
  std::function<void(bool)> flushed;
};

/// Orders for the loop, in the order of posting. One wake-up serves all that
/// came since the last `take`.
///
/// Threads: `post` from any; the rest on the loop.
class loop_mailbox {
public:
  loop_mailbox();
  ~loop_mailbox();
  loop_mailbox(const loop_mailbox&) = delete;
  loop_mailbox& operator=(const loop_mailbox&) = delete;

  /// False if the loop has ended; the order is then untouched.
  bool post(loop_order& order);

  std::vector<loop_order> take();

  /// Refuses all further orders and returns what is left.
  std::vector<loop_order> close();

  int descriptor() const {
    return descriptor_;
  }

private:
  int descriptor_;
  std::mutex mutex_;
  std::vector<loop_order> orders_;
  bool closed_ = false;
};

/// The loop's connection as a stream's producer sees it.
class stream_writer::connection {
public:
  connection(std::shared_ptr<loop_mailbox> to, uint64_t number) : box{std::move(to)}, id{number} {}

  const std::shared_ptr<loop_mailbox> box;
  const uint64_t id;
  std::atomic<bool> gone = false;
};

} // namespace troupe
