#pragma once

#include "nodes/cluster/frame_guard.hpp"

#include <chrono>
#include <cstddef>

namespace troupe {

/// The limits of a transport.
struct transport_options {
  std::chrono::milliseconds dial_time{3'000};      ///< To connect and to shake hands.
  std::chrono::milliseconds handshake_time{5'000}; ///< For who dials us, and again to greet.
  size_t max_handshakes = 256;                     ///< Under way at once.
  size_t max_handshakes_per_address = 64;
  /// For who dials us, to join after TLS; 0: there is no gate to let it.
  std::chrono::milliseconds join_time{0};
  std::chrono::milliseconds frame_time{30'000}; ///< For a frame, from its first byte to its last.
  size_t max_links_per_name = 4;                ///< Of nodes that dial us; older ones are cut.
  double connects_per_second = 50;      ///< Per address, with a burst of one second's worth.
  size_t max_unsent = size_t{64} << 20; ///< Bytes that a peer may leave unread.
  frame_rules frames;                   ///< No types: those of Troupe's protocols.
};

} // namespace troupe
