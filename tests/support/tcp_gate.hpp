#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

namespace troupe::tests {

/// Which way bytes go through a gate.
enum class gate_way : uint8_t { to_target = 1, to_client = 2, both = 3 };

/// How a connection ends: without a word to the programs (RST), or as if the other
/// side had left (FIN).
enum class gate_cut : uint8_t { reset, finish };

struct gate_counts {
  uint64_t accepted = 0;        ///< Connections of clients.
  uint64_t unreachable = 0;     ///< Of those, the target refused.
  uint64_t open = 0;            ///< Now.
  uint64_t cut = 0;             ///< Ended by command.
  uint64_t bytes_to_target = 0; ///< Written.
  uint64_t bytes_to_client = 0;
  uint64_t writes = 0; ///< In how many pieces.
  uint64_t flipped_bits = 0;
};

/// A breakable wire: listens on a free port of 127.0.0.1 and passes every
/// connection on to a target, until it is told otherwise. A command holds for all
/// connections, also later ones, and has taken effect when it returns; commands
/// add up until `pass`. Which bits are flipped and where writes are split depends
/// on the seed alone.
///
/// **Threads:** one of its own; commands may come from any.
class tcp_gate {
public:
  /// Throws if it cannot listen. The target need not be there yet.
  explicit tcp_gate(uint16_t target_port, uint64_t seed = 1);
  ~tcp_gate();
  tcp_gate(const tcp_gate&) = delete;
  tcp_gate& operator=(const tcp_gate&) = delete;

  uint16_t port() const;
  /// Returns "127.0.0.1:PORT".
  std::string address() const;

  /// Takes every fault back; what was held goes on.
  void pass();
  /// Ends all connections, what was on its way in them is lost; new ones are served.
  void cut(gate_cut how);
  /// Refuses new connections as if nobody listened.
  void refuse();
  /// Reads and writes nothing; connections stay open, new ones are accepted and silent.
  void freeze(gate_way way = gate_way::both);
  /// Holds every byte for a time, each way.
  void delay(std::chrono::milliseconds each_way);
  /// Flips `bits` random bits among the next `window` bytes of each way.
  void corrupt(gate_way way, uint32_t bits, uint64_t window);
  /// Writes pieces of 1 to `most` bytes.
  void split(size_t most);
  /// Passes at most so many bytes per second in each way of each connection.
  void throttle(uint64_t bytes_per_second);
  /// Sends new connections elsewhere.
  void set_target(uint16_t port);

  gate_counts counts() const;

private:
  struct state;
  std::unique_ptr<state> state_;
};

} // namespace troupe::tests
