#include "nodes/cluster/transport_peers.hpp"

#include <sys/socket.h>

#include <algorithm>

namespace troupe {

void open_peer::cut(std::string why) {
  auto lock = std::lock_guard{mutex_};
  if (ending_.empty())
    ending_ = std::move(why);
  if (fd_ >= 0)
    ::shutdown(fd_, SHUT_RDWR);
}

void open_peer::release() {
  auto lock = std::lock_guard{mutex_};
  fd_ = -1;
}

std::string open_peer::ending() const {
  auto lock = std::lock_guard{mutex_};
  return ending_;
}

void transport_peers::add(const open_peer_ptr& peer) {
  auto lock = std::lock_guard{mutex_};
  peers_.push_back(peer);
  ++counters_.open;
}

void transport_peers::remove(const open_peer_ptr& peer) {
  auto lock = std::lock_guard{mutex_};
  counters_.open -= std::erase(peers_, peer);
}

bool transport_peers::greet(const open_peer_ptr& peer, std::string_view id) {
  auto lock = std::lock_guard{mutex_};
  for (const auto& other : peers_)
    if (other->id_ == id && other->name() != peer->name())
      return false;
  peer->id_ = id;
  return true;
}

std::string transport_peers::id_of(const open_peer_ptr& peer) const {
  auto lock = std::lock_guard{mutex_};
  return peer->id_;
}

template <class F>
std::vector<open_peer_ptr> transport_peers::select(F&& wanted) const {
  auto lock = std::lock_guard{mutex_};
  auto out = std::vector<open_peer_ptr>{};
  std::copy_if(peers_.begin(), peers_.end(), std::back_inserter(out), wanted);
  return out;
}

std::vector<open_peer_ptr> transport_peers::with_id(std::string_view id) const {
  return select([&](const auto& x) { return x->id_ == id && !id.empty(); });
}

std::vector<open_peer_ptr> transport_peers::all() const {
  return select([](const auto&) { return true; });
}

std::vector<open_peer_ptr> transport_peers::silent(std::chrono::milliseconds limit) const {
  auto before = open_peer::clock::now() - limit;
  return select([&](const auto& x) { return x->id_.empty() && x->since_ < before; });
}

void transport_peers::join(std::string_view id) {
  auto lock = std::lock_guard{mutex_};
  for (const auto& x : peers_)
    x->joined_ = x->joined_ || (!id.empty() && x->id_ == id);
}

std::vector<open_peer_ptr> transport_peers::unjoined(std::chrono::milliseconds limit) const {
  auto before = open_peer::clock::now() - limit;
  return select([&](const auto& x) { return x->dialed_us_ && !x->joined_ && x->since_ < before; });
}

std::vector<open_peer_ptr> transport_peers::stuck(std::chrono::milliseconds limit) const {
  auto before = (open_peer::clock::now() - limit).time_since_epoch().count();
  return select([&](const auto& x) {
    auto since = x->frame_since_.load();
    return since != 0 && since < before;
  });
}

open_peer_ptr transport_peers::surplus(const std::string& name, size_t most) const {
  // In the order of their coming.
  auto its = select(
    [&](const auto& x) { return x->dialed_us_ && x->name() == name && x->ending().empty(); });
  if (its.size() <= most)
    return nullptr;
  auto lock = std::lock_guard{mutex_};
  auto idle = std::find_if(its.begin(), its.end(), [](const auto& x) { return !x->joined_; });
  // The newest has not had the time.
  return idle == its.end() || *idle == its.back() ? its.front() : *idle;
}

std::vector<open_peer_ptr> transport_peers::expired(int64_t now) const {
  return select([&](const auto& x) { return x->good_until() <= now; });
}

std::optional<int64_t> transport_peers::next_expiry() const {
  auto lock = std::lock_guard{mutex_};
  auto out = std::optional<int64_t>{};
  for (const auto& x : peers_)
    if (x->ending().empty()) // one that is cut is only waiting to be closed
      out = std::min(out.value_or(INT64_MAX), x->good_until());
  return out;
}

} // namespace troupe
