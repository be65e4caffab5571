#pragma once

#include "bridges/amqp/endpoint.hpp"

#include <amqp.h>
#include <amqp_framing.h>
#include <caf/error.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <string>

namespace troupe {

/// How connections are made.
struct session_options {
  std::string name = "troupe"; ///< What the broker's operators see.
  std::string ca_file;         ///< Authorities that may vouch for the broker; empty = the system's.
  std::string certificate_file; ///< Of our own, with `key_file`; empty = none.
  std::string key_file;
  std::chrono::seconds heartbeat{10};
  std::chrono::milliseconds connect_limit{5'000}; ///< For connection, TLS and login.
  std::chrono::milliseconds call_limit{10'000};   ///< For each call.
};

/// One connection to a broker. A call that gets no answer in its time ends the connection:
/// nobody knows what it would answer next.
///
/// Threads: the one that opened it; `cut` from any.
class session {
public:
  /// Connects and logs in. Errors: `ec::unavailable`, `ec::timeout`, `ec::forbidden`
  /// (login, certificate).
  static caf::expected<std::unique_ptr<session>> open(const amqp_endpoint& to,
                                                      const session_options& how);
  ~session();
  session(const session&) = delete;
  session& operator=(const session&) = delete;

  amqp_connection_state_t get() const {
    return state_;
  }
  int fd() const {
    return fd_;
  }
  /// False when the connection itself has ended.
  bool alive() const {
    return alive_;
  }

  /// Opens a channel, also one that the broker has closed.
  caf::error open_channel(uint16_t channel);
  /// Closes one that is open.
  caf::error close_channel(uint16_t channel);

  /// Runs one call of the library on a channel and judges its answer. A refusal closes the
  /// channel only: `alive` stays true. Errors: `ec::not_found` (404), `ec::forbidden` (403),
  /// `ec::conflict` (405, 406), `ec::unsupported` (540), `ec::unavailable`, `ec::timeout`.
  template <class F>
  caf::error call(uint16_t channel, F f) {
    if (!alive_)
      return gone();
    f(state_);
    return judge(channel, amqp_get_rpc_reply(state_));
  }

  /// Judges the answer of a call that returns it.
  caf::error judge(uint16_t channel, const amqp_rpc_reply_t& reply);
  /// Judges a status of the library; any but OK ends the connection.
  caf::error judge(int status);

  /// Takes the next frame if one is there or comes within `wait`. Sends heartbeats and sees
  /// missing ones. Errors: the connection has ended.
  caf::expected<bool> next(amqp_frame_t& out, std::chrono::milliseconds wait);

  /// Answers a method that closes channel or connection; returns what the broker says.
  caf::error closed_by(const amqp_frame_t& frame);

  /// While it is on, small frames wait for each other: a broker has less to do with few large
  /// packets than with many small ones.
  void gather(bool on);

  /// Sends a sign of life although nothing is read now.
  caf::error send_heartbeat();

  /// Says goodbye, within a second.
  void close();

  /// Makes whatever waits for the network return.
  static void cut(int fd);

private:
  session() = default;
  caf::error connect(const amqp_endpoint& to, const session_options& how);
  caf::error login(const amqp_endpoint& to, const session_options& how);
  caf::error gone() const;

  amqp_connection_state_t state_ = nullptr;
  int fd_ = -1;
  bool alive_ = false;
};

/// Returns the error that an AMQP reply code stands for.
caf::error broker_error(int code, std::string text);

} // namespace troupe
