#pragma once

#include "messages/error.hpp"

#include <chrono>
#include <random>

namespace troupe::cli {

/// Decides whether and when to call again a server that does not answer:
/// doubling waits with jitter until it has been away for too long.
class patience {
public:
  explicit patience(std::chrono::milliseconds limit) : limit_{limit} {}

  /// Told of an answer: the next failure is a first one.
  void answered();

  /// Told of a failure; waits and returns true if the call is worth repeating.
  bool wait_after(const caf::error& why);

  /// Returns how long to wait after the n-th failure in a row, from 1: 0.25 s to 5 s, ±20 %.
  static std::chrono::milliseconds pause(unsigned n, double jitter);

  bool waiting() const {
    return failures_ > 0;
  }

private:
  std::chrono::milliseconds limit_;
  unsigned failures_ = 0;
  std::chrono::steady_clock::time_point since_;
  std::minstd_rand random_{std::random_device{}()};
};

} // namespace troupe::cli
