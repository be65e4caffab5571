#pragma once

#include "bridges/http/framing.hpp"
#include "bridges/http/server.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace troupe {

/// One client as the loop knows it. Plain state: the loop decides.
struct http_connection {
  using time = std::chrono::steady_clock::time_point;
  static constexpr auto never = time::max();

  enum class phase {
    reading,   ///< Waits for, or reads, a request.
    working,   ///< A worker has it; nothing is read.
    writing,   ///< The answer is on its way; nothing is read.
    streaming, ///< A live stream; nothing is read.
    lingering, ///< Answered and shut down; what still comes is thrown away.
    closed,    ///< Gone; the object lives until the end of the loop's round.
  };

  http_connection(int descriptor, uint64_t number, std::string from, const http_options& limits)
    : fd{descriptor}, id{number}, address{std::move(from)}, framer{limits} {}

  const int fd;
  const uint64_t id;
  const std::string address;
  std::string owner; ///< Whom the limits per address count: the address, or its /64.
  phase now = phase::reading;
  request_framer framer;
  http_request request; ///< From the end of the head on.
  std::string request_id;
  bool head_only = false; ///< The method is HEAD.
  std::string ahead;      ///< Bytes behind the request being answered.
  std::string unsent;
  size_t sent = 0;       ///< Of `unsent`.
  bool readable = false; ///< The kernel may have bytes (edge-triggered).
  bool keep_alive = true;
  bool peer_ended = false; ///< It will send no more; there may be bytes left to read.
  bool queued = false;     ///< In the loop's list of those with bytes left to read.
  time since{};            ///< Of this phase; of the first byte while a head is read.
  bool head_begun = false;
  bool first = true;    ///< No request was answered yet.
  time due{};           ///< For the next bytes of a body or to a slow reader.
  time armed = never;   ///< Its earliest entry in the deadline queue.
  size_t discarded = 0; ///< While lingering.
  size_t held = 0;      ///< As last counted by the loop.
  size_t unsent_held = 0;

  std::shared_ptr<stream_writer::connection> stream;
  std::function<void(bool)> flushed; ///< Of the write in progress.
  bool chunked = false;
  bool finishing = false;

  /// Begins to count `due`.
  void begin_pace(time at, std::chrono::milliseconds grace) {
    due = at + grace;
  }
  /// Bytes have moved: they earn time at the slowest pace that is accepted, but
  /// a fast start does not pay for a long silence.
  void keep_pace(time at, size_t bytes, std::chrono::milliseconds grace, size_t bytes_per_second) {
    due = std::min(
      due + std::chrono::microseconds{bytes * 1'000'000 / std::max<size_t>(bytes_per_second, 1)},
      at + grace);
  }
  /// When the loop must act if nothing happens.
  time deadline(const http_options& limits) const;
};

} // namespace troupe
