#include "bridges/http/answer_text.hpp"
#include "bridges/http/loop.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

namespace troupe {

namespace {

constexpr size_t max_discard = 4 << 20; ///< Of a refused body; then the client sees a reset.
constexpr size_t max_stream_write = 1 << 20;

} // namespace

/// Queues bytes; `pump` sends them.
void http_server::loop::send_answer(http_connection& c, std::string bytes) {
  if (c.unsent.empty()) {
    c.begin_pace(now_, options_.write_time);
    c.unsent = std::move(bytes);
    c.sent = 0;
  } else {
    c.unsent += bytes;
  }
  account(c);
  if (unsent_ > options_.max_unsent)
    relieve_unsent();
}

void http_server::loop::on_answer(http_connection& c, loop_order& order) {
  c.keep_alive = c.keep_alive && !stopping_;
  if (order.status == 401 && !limit_rate(c, true)) {
    // It has been told so instead.
  } else if (!order.stream) {
    c.now = phase::writing;
    send_answer(c, std::move(order.bytes));
  } else if (c.head_only) {
    c.now = phase::writing;
    c.keep_alive = false;
    send_answer(c, answer_head(order.head, c.request_id, answer_end::close, false));
  } else if (c.peer_ended) {
    return close(c); // Nobody listens: the same as when it ends during the stream.
  } else if (counts_.streams >= options_.max_streams || stopping_) {
    auto answer = error_answer(503, "saturated", "too many live streams");
    answer.headers.emplace("Retry-After", "5");
    refuse(c, std::move(answer));
  } else {
    c.now = phase::streaming;
    c.stream = std::make_shared<stream_writer::connection>(box_, c.id);
    ++counts_.streams;
    auto end = c.chunked ? answer_end::chunks : answer_end::close;
    c.keep_alive = false;
    send_answer(c, answer_head(order.head, c.request_id, end, c.chunked));
    if (c.now != phase::closed)
      order.stream(stream_writer{c.stream});
  }
  if (c.now != phase::closed)
    pump(c);
}

void http_server::loop::on_stream_write(http_connection& c, loop_order& order) {
  // A second write before the first is flushed breaks the contract: end the
  // stream rather than let a producer without a brake fill the memory.
  if (c.now != phase::streaming || c.finishing || c.flushed
      || order.bytes.size() > max_stream_write) {
    if (order.flushed)
      order.flushed(false);
    if (c.now == phase::streaming && !c.finishing)
      close(c);
    return;
  }
  c.flushed = std::move(order.flushed);
  if (!order.bytes.empty())
    send_answer(c, c.chunked ? chunk_of(order.bytes) : std::move(order.bytes));
  else if (c.unsent.empty() && c.flushed)
    std::exchange(c.flushed, nullptr)(true);
  if (c.now != phase::closed)
    pump(c);
}

void http_server::loop::finish_stream(http_connection& c) {
  if (c.now != phase::streaming || std::exchange(c.finishing, true))
    return;
  if (c.chunked)
    send_answer(c, "0\r\n\r\n");
  else if (c.unsent.empty())
    return linger(c);
  if (c.now != phase::closed)
    pump(c);
}

/// Sends what it can; true if all is with the kernel. `c` may be closed after.
bool http_server::loop::flush(http_connection& c) {
  while (c.sent < c.unsent.size()) {
    auto count = ::send(c.fd, c.unsent.data() + c.sent, c.unsent.size() - c.sent, MSG_NOSIGNAL);
    if (count >= 0) {
      c.sent += static_cast<size_t>(count);
      c.keep_pace(now_, static_cast<size_t>(count), options_.write_time, options_.min_body_rate);
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      return false;
    } else if (errno != EINTR) {
      close(c);
      return false;
    }
  }
  c.unsent = {};
  c.sent = 0;
  account(c);
  if (c.now == phase::writing)
    answered(c);
  else if (c.now == phase::streaming && c.finishing)
    linger(c);
  else if (c.now == phase::streaming && c.flushed)
    std::exchange(c.flushed, nullptr)(true);
  return c.now != phase::closed;
}

void http_server::loop::answered(http_connection& c) {
  if (!c.keep_alive)
    return linger(c);
  c.now = phase::reading;
  c.since = now_;
}

/// Says that no more will come and reads on for a while: closing with unread
/// bytes would reset the connection before the client has read its answer.
void http_server::loop::linger(http_connection& c) {
  if (c.stream) {
    c.stream->gone = true;
    c.stream = nullptr;
    --counts_.streams;
  }
  if (stopping_ && !c.readable)
    return close(c);
  c.now = phase::lingering;
  c.since = now_;
  ::shutdown(c.fd, SHUT_WR);
  if (c.flushed)
    std::exchange(c.flushed, nullptr)(true);
}

void http_server::loop::discard(http_connection& c) {
  while (c.readable) {
    auto count = ::recv(c.fd, read_buffer_.data(), read_buffer_.size(), 0);
    if (count > 0) {
      c.discarded += static_cast<size_t>(count);
      if (c.discarded > max_discard)
        return close(c);
    } else if (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
      c.readable = false;
    } else if (count == 0 || errno != EINTR) {
      return close(c);
    }
  }
  arm(c);
}

/// Closes the slow reader that holds most, until the rest fits.
void http_server::loop::relieve_unsent() {
  while (unsent_ > options_.max_unsent) {
    auto most =
      std::max_element(connections_.begin(), connections_.end(), [](const auto& a, const auto& b) {
        return a.second->unsent_held < b.second->unsent_held;
      });
    close(*most->second);
  }
}

} // namespace troupe
