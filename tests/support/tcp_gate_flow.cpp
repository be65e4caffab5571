#include "tests/support/tcp_gate_flow.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <iterator>

namespace troupe::tests {

namespace {

/// A long delay of a fast sender needs room; beyond this the sender waits.
constexpr auto most_held = size_t{8} << 20;
constexpr auto pieces_at_once = 64;
/// A throttled flow writes so often a second.
constexpr auto throttle_ticks = uint64_t{100};

} // namespace

void bit_flips::choose(uint32_t bits, uint64_t window, std::mt19937_64& random) {
  auto first = at_ * 8;
  auto place = std::uniform_int_distribution<uint64_t>{first, first + window * 8 - 1};
  auto free = window * 8
              - static_cast<uint64_t>(
                std::distance(chosen_.lower_bound(first), chosen_.lower_bound(first + window * 8)));
  for (auto left = std::min<uint64_t>(bits, free); left > 0;)
    left -= chosen_.insert(place(random)).second ? 1 : 0;
}

void bit_flips::forget() {
  chosen_.clear();
}

uint64_t bit_flips::apply(char* bytes, size_t size) {
  auto flipped = uint64_t{0};
  auto end = chosen_.lower_bound((at_ + size) * 8);
  for (auto i = chosen_.begin(); i != end; i = chosen_.erase(i), ++flipped)
    bytes[*i / 8 - at_] = static_cast<char>(bytes[*i / 8 - at_] ^ (1 << (*i % 8)));
  at_ += size;
  return flipped;
}

bool gate_flow::wants_read(const gate_wire& wire) const {
  return !ended_ && !wire.faults.is_frozen(way_) && held_bytes_ < most_held;
}

bool gate_flow::wants_write(const gate_wire& wire, gate_clock::time_point now) const {
  return !wire.faults.is_frozen(way_) && !held_.empty()
         && held_.front().read_at + wire.faults.delay <= now
         && (wire.faults.throttle == 0 || next_write_ <= now);
}

gate_clock::time_point gate_flow::wakes(const gate_wire& wire, gate_clock::time_point now) const {
  if (wire.faults.is_frozen(way_) || held_.empty() || wants_write(wire, now))
    return gate_clock::time_point::max();
  auto due = held_.front().read_at + wire.faults.delay;
  return wire.faults.throttle == 0 ? due : std::max(due, next_write_);
}

bool gate_flow::read(gate_wire& wire, gate_clock::time_point now) {
  std::array<char, 65536> buffer; // not cleared: this is the hot path
  auto n = recv(from_, buffer.data(), buffer.size(), MSG_DONTWAIT);
  if (n < 0)
    return errno == EAGAIN || errno == EINTR;
  if (n == 0) {
    ended_ = true;
    return finish_if_empty();
  }
  auto size = static_cast<size_t>(n);
  auto& flips = wire.flips[way_ == gate_way::to_target ? 0 : 1];
  wire.counts.flipped_bits += flips.apply(buffer.data(), size);
  held_.push_back({now, std::string{buffer.data(), size}, 0});
  held_bytes_ += size;
  return true;
}

size_t gate_flow::allowed(gate_wire& wire, gate_clock::time_point now, size_t wanted) {
  const auto& faults = wire.faults;
  if (faults.split != 0)
    wanted = std::min(wanted, std::uniform_int_distribution<size_t>{1, faults.split}(wire.random));
  if (faults.throttle != 0) {
    auto share = std::max<uint64_t>(1, faults.throttle / throttle_ticks);
    wanted = std::min<size_t>(wanted, share);
    next_write_ = now + std::chrono::nanoseconds{wanted * 1'000'000'000 / faults.throttle};
  }
  return wanted;
}

bool gate_flow::write(gate_wire& wire, gate_clock::time_point now) {
  auto& total =
    way_ == gate_way::to_target ? wire.counts.bytes_to_target : wire.counts.bytes_to_client;
  for (auto i = 0; i < pieces_at_once && wants_write(wire, now); ++i) {
    auto& first = held_.front();
    auto wanted = allowed(wire, now, first.bytes.size() - first.written);
    auto n = send(to_, first.bytes.data() + first.written, wanted, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n < 0)
      return errno == EAGAIN || errno == EINTR;
    first.written += static_cast<size_t>(n);
    total += static_cast<uint64_t>(n);
    ++wire.counts.writes;
    held_bytes_ -= static_cast<size_t>(n);
    if (first.written == first.bytes.size())
      held_.pop_front();
  }
  return finish_if_empty();
}

bool gate_flow::finish_if_empty() {
  if (ended_ && !finished_ && held_.empty()) {
    shutdown(to_, SHUT_WR);
    finished_ = true;
  }
  return true;
}

} // namespace troupe::tests
