#include "bridges/http/loop.hpp"

#include "config/log.hpp"
#include "messages/ids.hpp"

#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>

namespace troupe {

namespace {

constexpr uint64_t listener_id = 1;
constexpr uint64_t mailbox_id = 2;

} // namespace

http_server::loop::loop(http_options options, http_body_gate gate, http_handler handler)
  : options_{std::move(options)}, gate_{std::move(gate)}, framer_{options_, std::move(handler)},
    workers_{options_.workers, options_.queue, options_.worker_idle},
    box_{std::make_shared<loop_mailbox>()}, subjects_{options_.rate_per_subject},
    addresses_{options_.rate_per_address}, failures_{options_.failures_per_address},
    id_prefix_{random_token().substr(0, 8)} {}

http_server::loop::~loop() {
  stop(std::chrono::milliseconds{0});
  for (auto fd : {epoll_, listener_, spare_})
    if (fd >= 0)
      ::close(fd);
}

caf::error http_server::loop::start() {
  if (auto err = listen())
    return err;
  epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
  auto watch = [this](int fd, uint64_t id) {
    auto event = epoll_event{};
    event.events = EPOLLIN;
    event.data.u64 = id;
    return fd >= 0 && ::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) == 0;
  };
  if (epoll_ < 0 || !watch(listener_, listener_id) || !watch(box_->descriptor(), mailbox_id))
    return fault(ec::unavailable, "no descriptors left for the HTTP server");
  thread_ = std::thread{[this] { run(); }};
  return caf::none;
}

void http_server::loop::stop(std::chrono::milliseconds limit) {
  auto lock = std::lock_guard{stop_mutex_};
  if (!thread_.joinable())
    return;
  stop_by_ = (clock::now() + limit).time_since_epoch().count();
  auto order = loop_order{};
  order.what = loop_order::kind::stop;
  box_->post(order);
  thread_.join();
  workers_.stop();
}

void http_server::loop::run() {
  auto events = std::array<epoll_event, 256>{};
  while (!stopping_ || !connections_.empty()) {
    auto count = ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), wait_time());
    now_ = clock::now();
    if (stopping_ && now_.time_since_epoch().count() >= stop_by_)
      break;
    for (auto id : std::exchange(more_to_read_, {}))
      if (auto i = connections_.find(id); i != connections_.end()) {
        i->second->queued = false;
        pump(*i->second);
      }
    for (auto i = 0; i < count; ++i) {
      const auto& event = events[static_cast<size_t>(i)];
      if (event.data.u64 == listener_id)
        accept_all();
      else if (event.data.u64 == mailbox_id)
        on_orders(box_->take());
      else
        on_event(event.data.u64, event.events);
    }
    pass_deadlines();
    closed_.clear();
  }
  auto left = box_->close();
  while (!connections_.empty())
    close(*connections_.begin()->second);
  for (auto& order : left)
    if (order.flushed)
      order.flushed(false);
}

/// The time until something is due; an idle server sleeps without end.
int http_server::loop::wait_time() const {
  if (!more_to_read_.empty())
    return 0;
  auto due = deadlines_.empty() ? http_connection::never : deadlines_.earliest();
  due = std::min(due, accept_again_);
  if (stopping_)
    due = std::min(due, clock::time_point{clock::duration{stop_by_.load()}});
  if (due == http_connection::never)
    return -1;
  auto left = std::chrono::ceil<std::chrono::milliseconds>(due - clock::now()).count();
  return static_cast<int>(std::clamp<int64_t>(left, 0, 60'000));
}

void http_server::loop::on_event(uint64_t id, uint32_t flags) {
  auto i = connections_.find(id);
  if (i == connections_.end())
    return; // Closed earlier in this round.
  auto& c = *i->second;
  if ((flags & (EPOLLERR | EPOLLHUP)) != 0)
    return close(c);
  if ((flags & (EPOLLIN | EPOLLRDHUP)) != 0)
    c.readable = true;
  // Told once, so it must be remembered: what is behind it is the end.
  c.peer_ended = c.peer_ended || (flags & EPOLLRDHUP) != 0;
  if (c.peer_ended && c.now == phase::streaming)
    return close(c);
  pump(c);
}

void http_server::loop::on_orders(std::vector<loop_order> orders) {
  for (auto& order : orders)
    on_order(order);
}

void http_server::loop::on_order(loop_order& order) {
  if (order.what == loop_order::kind::stop)
    return begin_stop();
  if (order.what == loop_order::kind::answer) {
    working_ -= order.held;
    --at_workers_;
  }
  auto i = connections_.find(order.connection);
  if (i == connections_.end()) {
    if (order.flushed)
      order.flushed(false);
    return;
  }
  auto& c = *i->second;
  switch (order.what) {
    case loop_order::kind::answer: return on_answer(c, order);
    case loop_order::kind::write: return on_stream_write(c, order);
    default: return finish_stream(c);
  }
}

void http_server::loop::pass_deadlines() {
  if (accept_again_ <= now_)
    resume_accept();
  while (!deadlines_.empty() && deadlines_.earliest() <= now_) {
    auto at = deadlines_.earliest();
    auto i = connections_.find(deadlines_.pop());
    if (i == connections_.end() || i->second->armed != at)
      continue;
    auto& c = *i->second;
    c.armed = http_connection::never;
    if (c.deadline(options_) <= now_)
      expire(c);
    else
      arm(c);
  }
}

/// Lets go of everyone who is not in the middle of something.
void http_server::loop::begin_stop() {
  stopping_ = true;
  if (listener_ >= 0)
    ::close(std::exchange(listener_, -1));
  accept_again_ = http_connection::never;
  auto ids = std::vector<uint64_t>{};
  for (const auto& [id, _] : connections_)
    ids.push_back(id);
  for (auto id : ids) {
    auto i = connections_.find(id);
    if (i == connections_.end())
      continue;
    auto& c = *i->second;
    c.keep_alive = false;
    if (c.now == phase::streaming)
      finish_stream(c);
    else if (c.now == phase::reading && !c.readable && c.framer.untouched())
      close(c);
  }
}

http_counts http_server::loop::counts() const {
  auto out = http_counts{};
  out.accepted = counts_.accepted;
  out.refused = counts_.refused;
  out.requests = counts_.requests;
  out.bad_requests = counts_.bad_requests;
  out.open = counts_.open;
  out.streams = counts_.streams;
  out.buffered = counts_.buffered;
  return out;
}

} // namespace troupe
