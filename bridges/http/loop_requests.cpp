#include "bridges/http/answer_text.hpp"
#include "bridges/http/loop.hpp"
#include "config/log.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <charconv>

namespace troupe {

namespace {

constexpr auto reads_per_turn = 16; ///< Then it is the others' turn.

uint64_t hash_of(std::string_view text) {
  return std::hash<std::string_view>{}(text);
}

} // namespace

/// Takes a connection as far as it gets without waiting. `c` may be closed after.
void http_server::loop::pump(http_connection& c) {
  for (auto turn = 0; c.now != phase::closed; ++turn) {
    if (!c.unsent.empty() && !flush(c))
      break;
    if (c.now == phase::closed)
      return;
    if (c.now == phase::lingering)
      return discard(c);
    if (c.now != phase::reading)
      break;
    if (!c.ahead.empty()) {
      feed(c, std::exchange(c.ahead, {}));
    } else if (!c.readable) {
      break;
    } else if (turn >= reads_per_turn) {
      if (!std::exchange(c.queued, true))
        more_to_read_.push_back(c.id);
      break;
    } else if (!read_some(c)) {
      return;
    }
  }
  if (c.now != phase::closed) {
    account(c);
    arm(c);
  }
}

/// Reads once. False if the connection is closed.
bool http_server::loop::read_some(http_connection& c) {
  auto count = ::recv(c.fd, read_buffer_.data(), read_buffer_.size(), 0);
  if (count > 0) {
    c.keep_pace(now_, static_cast<size_t>(count), options_.header_time, options_.min_body_rate);
    // A short read has emptied the socket, unless the end of the stream is behind it.
    c.readable = static_cast<size_t>(count) == read_buffer_.size() || c.peer_ended;
    feed(c, {read_buffer_.data(), static_cast<size_t>(count)});
    return c.now != phase::closed;
  }
  if (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) {
    c.readable = errno == EINTR;
    return true;
  }
  if (!c.framer.untouched())
    ++counts_.bad_requests;
  close(c);
  return false;
}

void http_server::loop::feed(http_connection& c, std::string_view bytes) {
  if (!c.head_begun) {
    c.head_begun = true;
    c.since = now_;
    c.request_id.clear();
    c.head_only = false;
  }
  while (c.now == phase::reading) {
    switch (c.framer.feed(bytes)) {
      case request_framer::state::judge:
        judge(c);
        if (c.now == phase::closed)
          return;
        continue;
      case request_framer::state::complete: c.ahead.assign(bytes); return dispatch(c);
      case request_framer::state::refused: {
        ++counts_.bad_requests;
        const auto& why = c.framer.refusal();
        return refuse(c, error_answer(why.status, why.code, why.text));
      }
      default: // All bytes are taken.
        make_room(c);
        return;
    }
  }
}

/// Decides about a request by its head.
void http_server::loop::judge(http_connection& c) {
  auto& head = c.framer.head();
  auto& x = c.request;
  x = {};
  x.method = head.method;
  x.path = head.path;
  x.query = head.query;
  x.headers = std::move(head.headers);
  x.remote = c.address;
  auto number = std::array<char, 16>{};
  auto end = std::to_chars(number.data(), number.data() + number.size(), ++next_request_, 16).ptr;
  x.request_id = id_prefix_ + '-' + std::string{number.data(), end};
  x.deadline = now_ + options_.request_deadline;
  c.request_id = x.request_id;
  c.head_only = x.method == "HEAD";
  c.keep_alive = head.keep_alive && !stopping_;
  c.begin_pace(now_, options_.header_time);
  if (!limit_rate(c, false))
    return;
  auto verdict = body_verdict{options_.max_body, std::nullopt};
  try {
    if (gate_)
      verdict = gate_(x);
  } catch (const std::exception& fault) {
    log(log_level::error, "http", "the gate failed",
        {{"request", x.request_id}, {"fault", fault.what()}});
    verdict.refuse = error_answer(500, "unspecified", "the request could not be judged");
  }
  if (verdict.refuse) {
    ++counts_.requests;
    if (verdict.refuse->status == 401 && !limit_rate(c, true))
      return;
    return refuse(c, std::move(*verdict.refuse));
  }
  if (c.framer.admit(verdict.max_body) == request_framer::state::body && head.expects_continue)
    send_answer(c, "HTTP/1.1 100 Continue\r\n\r\n");
}

/// False if the client is over a rate and has been told so.
bool http_server::loop::limit_rate(http_connection& c, bool failed) {
  auto owner = hash_of(c.owner);
  auto wait = 0;
  if (failed) {
    wait = failures_.take(owner, now_);
  } else {
    auto token = c.request.header("authorization");
    wait = addresses_.take(owner, now_);
    if (wait == 0)
      wait = subjects_.take(token.empty() ? owner : hash_of(token), now_);
  }
  if (wait == 0)
    return true;
  auto answer = error_answer(429, "saturated", "too many requests");
  answer.headers.emplace("Retry-After", std::to_string(wait));
  refuse(c, std::move(answer));
  return false;
}

void http_server::loop::dispatch(http_connection& c) {
  ++counts_.requests;
  c.now = phase::working;
  c.request.body = std::move(c.framer.body());
  c.request.deadline = now_ + options_.request_deadline;
  auto held = c.request.body.capacity();
  auto job = [this, id = c.id, held, keep_alive = c.keep_alive, request = std::move(c.request),
              target = std::move(c.framer.head().target)] {
    auto done = framer_.run(request, target, keep_alive);
    auto order = loop_order{};
    order.connection = id;
    order.held = held;
    order.bytes = std::move(done.bytes);
    order.status = done.status;
    order.stream = std::move(done.stream);
    order.head = std::move(done.answer);
    box_->post(order);
  };
  c.chunked = !c.framer.head().old;
  c.framer.restart();
  c.head_begun = false;
  c.first = false;
  if (workers_.submit(std::move(job))) {
    working_ += held;
    ++at_workers_;
    return;
  }
  auto answer = error_answer(503, "saturated", "all workers are busy");
  answer.headers.emplace("Retry-After", "1");
  refuse(c, std::move(answer));
}

/// Answers on the loop and ends the connection: what follows cannot be trusted
/// or is not worth reading.
void http_server::loop::refuse(http_connection& c, http_response answer) {
  c.keep_alive = false;
  c.now = phase::writing;
  c.ahead = {};
  auto text = answer_head(answer, c.request_id.empty() ? id_prefix_ : c.request_id,
                          answer_end::length, false);
  if (!c.head_only)
    text += answer.body;
  c.framer.restart();
  send_answer(c, std::move(text));
}

void http_server::loop::expire(http_connection& c) {
  const auto waits = c.now == phase::reading && !c.framer.untouched();
  if (!waits)
    return close(c);
  ++counts_.bad_requests;
  refuse(c, error_answer(408, "timeout", "the request came too slowly"));
  if (c.now != phase::closed)
    pump(c);
}

void http_server::loop::arm(http_connection& c) {
  auto due = c.deadline(options_);
  if (due >= c.armed)
    return;
  c.armed = due;
  deadlines_.add(due, c.id);
}

} // namespace troupe
