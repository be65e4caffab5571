#pragma once

#include "tests/support/tcp_gate.hpp"

#include <deque>
#include <random>
#include <set>

/// The parts of a `tcp_gate`; all of it runs on the gate's thread.
namespace troupe::tests {

using gate_clock = std::chrono::steady_clock;

/// What is wrong with the wire now.
struct gate_faults {
  bool refuse = false;
  uint8_t frozen = 0; ///< Bits of `gate_way`.
  std::chrono::milliseconds delay{0};
  size_t split = 0;      ///< Longest write; 0 = any.
  uint64_t throttle = 0; ///< Bytes per second; 0 = any.

  bool is_frozen(gate_way way) const {
    return (frozen & static_cast<uint8_t>(way)) != 0;
  }
};

/// The bits that will be flipped in one way.
class bit_flips {
public:
  /// Chooses `bits` different ones of the next `window` bytes.
  void choose(uint32_t bits, uint64_t window, std::mt19937_64& random);
  void forget();
  /// Flips what falls into these bytes; returns how many bits.
  uint64_t apply(char* bytes, size_t size);

private:
  uint64_t at_ = 0;           ///< Bytes that went by.
  std::set<uint64_t> chosen_; ///< Places of bits from the first byte on.
};

/// What all connections share.
struct gate_wire {
  gate_faults faults;
  bit_flips flips[2];
  gate_counts counts;
  std::mt19937_64 random;
};

/// One way of one connection: bytes that were read and not yet written.
class gate_flow {
public:
  gate_flow(gate_way way, int from, int to) : way_{way}, from_{from}, to_{to} {}

  int from() const {
    return from_;
  }
  int to() const {
    return to_;
  }
  bool wants_read(const gate_wire& wire) const;
  bool wants_write(const gate_wire& wire, gate_clock::time_point now) const;
  /// When it has something to do by itself; max() if never.
  gate_clock::time_point wakes(const gate_wire& wire, gate_clock::time_point now) const;

  /// Moves what may be moved. Returns false if the connection broke.
  bool read(gate_wire& wire, gate_clock::time_point now);
  bool write(gate_wire& wire, gate_clock::time_point now);

  /// Everything was passed on, the end too.
  bool done() const {
    return finished_;
  }

private:
  struct chunk {
    gate_clock::time_point read_at;
    std::string bytes;
    size_t written = 0;
  };
  bool finish_if_empty();
  size_t allowed(gate_wire& wire, gate_clock::time_point now, size_t wanted);

  gate_way way_;
  int from_;
  int to_;
  std::deque<chunk> held_;
  size_t held_bytes_ = 0;
  bool ended_ = false;                  ///< The sender will send no more.
  bool finished_ = false;               ///< And the receiver was told.
  gate_clock::time_point next_write_{}; ///< Of a throttled flow.
};

} // namespace troupe::tests
