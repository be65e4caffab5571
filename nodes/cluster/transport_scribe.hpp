#pragma once

#include "nodes/cluster/handshake.hpp"

#include <caf/io/network/default_multiplexer.hpp>
#include <caf/io/network/stream_impl.hpp>
#include <caf/io/scribe.hpp>

namespace troupe {

/// How CAF's stream reads and writes a settled connection: through TLS, and past
/// the frame guard. Threads: CAF's network thread.
class guarded_stream {
public:
  using state = caf::io::network::rw_state;
  using socket = caf::io::network::native_socket;

  guarded_stream(transport_core_ptr core, open_peer_ptr peer, std::unique_ptr<tls_session> tls,
                 frame_guard::side side);

  state read_some(size_t& got, socket, void* into, size_t size);
  state write_some(size_t& put, socket, const void* from, size_t size);
  bool must_read_more(socket, size_t threshold);

  /// Bytes of the last write that the peer has not taken.
  size_t unsent() const {
    return unsent_;
  }

private:
  state over();

  transport_core_ptr core_;
  open_peer_ptr peer_;
  std::unique_ptr<tls_session> tls_;
  frame_guard guard_;
  size_t unsent_ = 0;
  uint64_t frames_ = UINT64_MAX; ///< That had ended when the one that has begun did.
  bool over_ = false;
};

/// CAF's end of a settled connection.
class transport_scribe final : public caf::io::scribe {
public:
  transport_scribe(caf::io::network::default_multiplexer& loop, transport_core_ptr core,
                   open_peer_ptr peer, settled_peer connection, frame_guard::side side);
  ~transport_scribe() override;

  void configure_read(caf::io::receive_policy::config config) override;
  void ack_writes(bool enable) override;
  std::vector<char>& wr_buf() override;
  std::vector<char>& rd_buf() override;
  void graceful_shutdown() override;
  void flush() override;
  std::string addr() const override;
  uint16_t port() const override;
  void add_to_loop() override;
  void remove_from_loop() override;

private:
  /// A stream that lets us look at its policy.
  class stream final : public caf::io::network::stream {
  public:
    stream(caf::io::network::default_multiplexer& loop, int fd, guarded_stream policy)
      : caf::io::network::stream{loop, fd}, policy_{std::move(policy)} {}

    void handle_event(caf::io::network::operation what) override {
      handle_event_impl(what, policy_);
    }
    size_t unsent() const {
      return policy_.unsent();
    }

  private:
    guarded_stream policy_;
  };

  void forget_peer();

  transport_core_ptr core_;
  open_peer_ptr peer_;
  stream stream_;
  bool started_ = false;
};

/// Returns CAF's end of a connection, and the connection as the transport lists it.
struct new_scribe {
  caf::io::scribe_ptr scribe;
  open_peer_ptr peer;
};
new_scribe make_scribe(caf::io::network::default_multiplexer& loop, const transport_core_ptr& core,
                       settled_peer connection, frame_guard::side side);

} // namespace troupe
