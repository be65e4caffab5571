#include "nodes/cluster/transport_door.hpp"

#include <sys/epoll.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace troupe {

namespace {

constexpr auto accepts_per_round = 64;
constexpr auto rest_time = std::chrono::milliseconds{100};
constexpr auto look_interval = std::chrono::milliseconds{500};
constexpr auto longest_nap = std::chrono::seconds{1}; ///< While there are peers.

int64_t unix_now() {
  return std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
}

/// What a failed dial tells its caller.
caf::error dial_fault(const std::string& name, const std::string& host, refusal why,
                      const std::string& detail) {
  auto code = why == refusal::handshake_timeout ? ec::timeout
              : why == refusal::hung_up         ? ec::unavailable
                                                : ec::unauthorized;
  auto text = in_words(why, name, detail);
  return fault_at(code, name + " at " + host, text);
}

} // namespace

transport_door::transport_door(transport_core_ptr core)
  : core_{std::move(core)}, epoll_{epoll_create1(EPOLL_CLOEXEC)},
    wake_{eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)}, rate_{core_->options.connects_per_second} {
  watch(EPOLL_CTL_ADD, wake_.get(), 0, EPOLLIN);
  thread_ = std::thread{[this] { run(); }};
}

transport_door::~transport_door() {
  close();
}

void transport_door::close() {
  if (!thread_.joinable())
    return;
  order([this] { stop_ = true; });
  thread_.join();
}

void transport_door::watch(int operation, int fd, uint64_t key, uint32_t events) {
  auto what = epoll_event{};
  what.events = events;
  what.data.u64 = key;
  epoll_ctl(epoll_.get(), operation, fd, &what);
}

void transport_door::order(std::function<void()> what) {
  {
    auto lock = std::lock_guard{mutex_};
    orders_.push_back(std::move(what));
  }
  eventfd_write(wake_.get(), 1);
}

void transport_door::run_orders() {
  auto count = eventfd_t{0};
  eventfd_read(wake_.get(), &count);
  auto due = std::vector<std::function<void()>>{};
  {
    auto lock = std::lock_guard{mutex_};
    due.swap(orders_);
  }
  for (auto& what : due)
    what();
}

caf::expected<uint16_t> transport_door::listen(const socket_address& at, on_accepted then) {
  auto fd = listen_on(at);
  if (!fd)
    return std::move(fd.error());
  auto bound = socket_address{};
  bound.size = sizeof bound.bytes;
  getsockname(fd->get(), reinterpret_cast<sockaddr*>(&bound.bytes), &bound.size);
  auto shared = std::make_shared<listener>(listener{std::move(*fd), std::move(then)});
  order([this, shared] {
    auto key = ++last_key_;
    watch(EPOLL_CTL_ADD, shared->fd.get(), key, rest_ ? 0U : uint32_t{EPOLLIN});
    listeners_.emplace(key, std::move(*shared));
  });
  return bound.port();
}

void transport_door::dial(std::vector<socket_address> to, std::string name, on_dialed then) {
  auto shared = std::make_shared<dial_order>();
  shared->to = std::move(to);
  shared->name = std::move(name);
  shared->then = std::move(then);
  shared->due = clock::now() + core_->options.dial_time;
  shared->last = fault_at(ec::unavailable, shared->name, "has no address");
  order([this, shared] { try_next(std::move(*shared)); });
}

void transport_door::run() {
  auto events = std::array<epoll_event, 64>{};
  while (!stop_) {
    auto count =
      epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), patience());
    for (auto i = 0; i < count; ++i) {
      auto key = events[static_cast<size_t>(i)].data.u64;
      if (key == 0)
        run_orders();
      else if (listeners_.count(key) != 0)
        accept_from(key);
      else
        advance(key);
    }
    look_at_clock();
  }
  young_.clear();
  listeners_.clear();
}

/// Milliseconds until the clock matters.
int transport_door::patience() const {
  auto now = clock::now();
  auto next = clock::time_point::max();
  if (rest_)
    next = *rest_;
  else if (now < greetings_due_)
    next = now + look_interval;
  for (const auto& [key, x] : young_)
    next = std::min(next, x.due);
  // Certificates end by the other clock, which may be set meanwhile.
  if (auto expiry = core_->peers.next_expiry()) {
    auto left = std::clamp<int64_t>(*expiry - unix_now(), 0, longest_nap.count());
    next = std::min(next, now + std::chrono::seconds{left} + look_interval);
  }
  if (next == clock::time_point::max())
    return -1;
  auto left = std::chrono::ceil<std::chrono::milliseconds>(next - now).count();
  return static_cast<int>(std::max<int64_t>(left, 0));
}

void transport_door::look_at_clock() {
  auto now = clock::now();
  if (rest_ && now >= *rest_)
    rest_listeners(false);
  auto late = std::vector<uint64_t>{};
  for (const auto& [key, x] : young_)
    if (now >= x.due)
      late.push_back(key);
  for (auto key : late)
    give_up(take(key), refusal::handshake_timeout, {});
  if (now < greetings_due_)
    cut_silent_peers();
  if (now >= expiries_due_) {
    expiries_due_ = now + look_interval;
    cut_expired_peers();
    cut_all(core_->peers.stuck(core_->options.frame_time), refusal::stuck_frame, {});
  }
}

/// A link must not outlive what let it in.
void transport_door::cut_expired_peers() {
  cut_all(core_->peers.expired(unix_now()), refusal::expired, "while connected");
}

void transport_door::cut_all(const std::vector<open_peer_ptr>& peers, refusal why,
                             const std::string& detail) {
  for (const auto& peer : peers) {
    if (!peer->ending().empty())
      continue;
    core_->refusals.note(why, peer->address(), peer->name(), detail);
    peer->cut(std::string{in_words(why)});
  }
}

void transport_door::cut_silent_peers() {
  for (const auto& peer : core_->peers.silent(core_->options.handshake_time)) {
    if (!peer->ending().empty())
      continue;
    core_->refusals.note(refusal::handshake_timeout, peer->address(), peer->name(),
                         "no greeting after TLS");
    peer->cut("it did not greet");
  }
  if (auto limit = core_->options.join_time; limit.count() > 0)
    cut_all(core_->peers.unjoined(limit), refusal::not_joined, {});
}

void transport_door::rest_listeners(bool rest) {
  rest_ = rest ? std::optional{clock::now() + rest_time} : std::nullopt;
  for (const auto& [key, x] : listeners_)
    watch(EPOLL_CTL_MOD, x.fd.get(), key, rest ? 0U : uint32_t{EPOLLIN});
}

void transport_door::accept_from(uint64_t key) {
  const auto& from = listeners_.at(key);
  for (auto i = 0; i < accepts_per_round; ++i) {
    auto peer = socket_address{};
    peer.size = sizeof peer.bytes;
    auto fd = owned_fd{::accept4(from.fd.get(), reinterpret_cast<sockaddr*>(&peer.bytes),
                                 &peer.size, SOCK_NONBLOCK | SOCK_CLOEXEC)};
    if (fd) {
      admit(std::move(fd), peer, from.then);
      continue;
    }
    if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
      core_->refusals.note(refusal::cannot_accept, "?", {}, std::strerror(errno));
      return rest_listeners(true);
    }
    if (errno != EINTR && errno != ECONNABORTED)
      return;
  }
}

void transport_door::admit(owned_fd fd, const socket_address& from, const on_accepted& then) {
  const auto& limits = core_->options;
  auto origin = from.network();
  if (rate_.take(std::hash<std::string>{}(origin), clock::now()) != 0)
    return core_->refusals.note(refusal::too_fast, from.host(), {}, {});
  if (auto its = callers_.find(origin);
      its != callers_.end() && its->second >= limits.max_handshakes_per_address)
    displace(origin);
  else if (calling_ >= limits.max_handshakes)
    displace(busiest_origin());
  tune_connection(fd.get());
  ++callers_[origin];
  ++calling_;
  begin({handshake::of_caller(*core_, std::move(fd), from), clock::now() + limits.handshake_time,
         then, std::nullopt, std::move(origin)});
}

/// Makes room for a newcomer: an honest handshake is short, and who holds the most places
/// loses one first, so who dials again gets in.
void transport_door::displace(const std::string& origin) {
  auto oldest = std::find_if(young_.begin(), young_.end(),
                             [&](const auto& x) { return x.second.origin == origin; });
  if (oldest != young_.end())
    give_up(take(oldest->first), refusal::too_many_handshakes, "a newer one came");
}

/// Where most handshakes under way come from; among equals where the oldest does.
std::string transport_door::busiest_origin() const {
  auto most = size_t{0};
  for (const auto& [_, count] : callers_)
    most = std::max(most, count);
  for (const auto& [_, x] : young_)
    if (auto its = callers_.find(x.origin); its != callers_.end() && its->second == most)
      return x.origin;
  return {};
}

void transport_door::try_next(dial_order order) {
  while (order.next < order.to.size()) {
    const auto& to = order.to[order.next++];
    if (auto fd = start_connect(to)) {
      tune_connection(fd->get());
      // Each address gets its part of the time, so that a dead one does not eat all of it.
      auto now = clock::now();
      auto share = (order.due - now) / static_cast<int>(order.to.size() - order.next + 1);
      auto shaking = handshake::of_callee(*core_, std::move(*fd), to, order.name);
      return begin({std::move(shaking), now + share, nullptr, std::move(order), {}});
    } else {
      order.last = std::move(fd.error());
    }
  }
  order.then(std::move(order.last));
}

void transport_door::begin(young x) {
  auto key = ++last_key_;
  ++core_->counters.half_open;
  x.events = x.dial ? EPOLLOUT : EPOLLIN;
  watch(EPOLL_CTL_ADD, x.shaking.fd(), key, x.events);
  young_.emplace(key, std::move(x));
}

transport_door::young transport_door::take(uint64_t key) {
  auto node = young_.extract(key);
  auto& x = node.mapped();
  epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, x.shaking.fd(), nullptr);
  --core_->counters.half_open;
  if (!x.dial) {
    --calling_;
    if (auto its = callers_.find(x.origin); --its->second == 0)
      callers_.erase(its);
  }
  return std::move(x);
}

void transport_door::advance(uint64_t key) {
  auto found = young_.find(key);
  if (found == young_.end())
    return; // It ended earlier in this round.
  auto& x = found->second;
  auto step = x.shaking.advance();
  if (step == handshake::step::done)
    return settle(take(key));
  if (step == handshake::step::failed) {
    auto why = x.shaking.why();
    auto detail = x.shaking.detail();
    if (why)
      return give_up(take(key), *why, detail);
    auto order = std::move(*take(key).dial);
    order.last = fault_at(ec::unavailable, order.name + " at " + order.to[order.next - 1].host(),
                          "cannot connect: " + detail);
    return try_next(std::move(order));
  }
  auto wanted = uint32_t{step == handshake::step::wants_write ? EPOLLOUT : EPOLLIN};
  if (wanted != x.events)
    watch(EPOLL_CTL_MOD, x.shaking.fd(), key, x.events = wanted);
}

void transport_door::settle(young x) {
  greetings_due_ = clock::now() + std::max(core_->options.handshake_time, core_->options.join_time)
                   + 2 * look_interval;
  auto& done = x.dial ? core_->counters.dialed : core_->counters.accepted;
  ++done;
  if (x.dial)
    x.dial->then(x.shaking.settle());
  else
    x.accepted(x.shaking.settle());
}

void transport_door::give_up(young x, refusal why, const std::string& detail) {
  auto host = x.shaking.at().host();
  auto name = x.shaking.name();
  core_->refusals.note(why, host, name.empty() && x.dial ? x.dial->name : name, detail);
  if (!x.dial)
    return;
  auto order = std::move(*x.dial);
  order.last = dial_fault(order.name, host, why, detail);
  try_next(std::move(order));
}

} // namespace troupe
