#pragma once

#include "nodes/cluster/tls_session.hpp"
#include "nodes/cluster/transport_core.hpp"
#include "nodes/cluster/transport_socket.hpp"

namespace troupe {

/// A connection whose both sides have shown who they are.
struct settled_peer {
  owned_fd fd;
  std::unique_ptr<tls_session> tls;
  socket_address at;
};

/// One connection on its way to be settled. Threads: one.
class handshake {
public:
  using step = tls_session::step;

  /// Somebody dialed us. Nothing is allocated for TLS before a first byte that
  /// could be TLS: those who connect and say nothing are cheap.
  static handshake of_caller(const transport_core& core, owned_fd fd, const socket_address& from);

  /// We dial `name`; the socket is still connecting.
  static handshake of_callee(const transport_core& core, owned_fd fd, const socket_address& to,
                             std::string name);

  /// Goes on as far as the socket allows.
  step advance();

  /// After `failed`: why, if the peer was reached at all, and the system's or OpenSSL's words.
  std::optional<refusal> why() const;
  std::string detail() const;

  /// What the peer calls itself, if it got that far.
  std::string name() const;
  const socket_address& at() const {
    return at_;
  }
  int fd() const {
    return fd_.get();
  }

  /// After `done`: the connection.
  settled_peer settle();

private:
  handshake(const transport_core& core, owned_fd fd, const socket_address& at, std::string expected)
    : core_{&core}, fd_{std::move(fd)}, at_{at}, expected_{std::move(expected)} {}

  std::optional<step> begin();
  std::optional<step> first_byte();
  void make_session(tls_session::role as);

  const transport_core* core_;
  owned_fd fd_;
  socket_address at_;
  std::string expected_; ///< Empty: somebody dialed us.
  std::unique_ptr<tls_session> tls_;
  std::optional<refusal> early_; ///< Why, if there was no session yet.
  int connect_fault_ = 0;
};

} // namespace troupe
