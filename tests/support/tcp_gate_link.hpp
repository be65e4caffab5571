#pragma once

#include "tests/support/tcp_gate_flow.hpp"

#include <poll.h>

#include <vector>

namespace troupe::tests {

/// One connection through a gate. Runs on the gate's thread.
class gate_link {
public:
  /// Takes the client's socket and begins to call the target.
  gate_link(int client, uint16_t target_port);
  ~gate_link();
  gate_link(const gate_link&) = delete;
  gate_link& operator=(const gate_link&) = delete;

  /// Adds what it waits for: always two entries.
  void watch(const gate_wire& wire, gate_clock::time_point now, std::vector<pollfd>& out) const;
  gate_clock::time_point wakes(const gate_wire& wire, gate_clock::time_point now) const;

  /// Does what is possible; returns false if the connection is over.
  bool work(gate_wire& wire, gate_clock::time_point now, const pollfd* seen);

  void cut(gate_cut how);

private:
  bool finish_call(gate_wire& wire, short seen);
  bool drain(gate_clock::time_point now);

  int client_;
  int target_;
  bool calling_ = true;
  bool leaving_ = false; ///< Cut by FIN: waits for both sides to leave.
  bool client_left_ = false;
  bool target_left_ = false;
  bool reset_ = false; ///< End it by RST.
  gate_clock::time_point leave_by_{};
  gate_flow to_target_;
  gate_flow to_client_;
};

} // namespace troupe::tests
