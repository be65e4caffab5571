#include "nodes/cluster/transport_scribe.hpp"

#include "nodes/cluster/random_node_id.hpp"

#include <caf/io/basp_broker.hpp>
#include <caf/make_counted.hpp>
#include <caf/send.hpp>

namespace troupe {

namespace {

/// What one turn of the network thread may write for one peer.
constexpr auto write_turn = size_t{256} << 10;

} // namespace

guarded_stream::guarded_stream(transport_core_ptr core, open_peer_ptr peer,
                               std::unique_ptr<tls_session> tls, frame_guard::side side)
  : core_{std::move(core)}, peer_{std::move(peer)}, tls_{std::move(tls)},
    guard_{side, core_->rules, core_->own_id,
           [table = core_.get(), peer = peer_](auto id) { return table->peers.greet(peer, id); }} {}

guarded_stream::state guarded_stream::over() {
  over_ = true;
  return state::failure;
}

guarded_stream::state guarded_stream::read_some(size_t& got, socket, void* into, size_t size) {
  got = 0;
  if (over_)
    return state::failure;
  auto moved = tls_->read(into, size);
  if (moved < 0) {
    if (tls_->why() == refusal::refused_us)
      peer_->cut(in_words(refusal::refused_us, peer_->name(), tls_->detail()));
    return over();
  }
  got = static_cast<size_t>(moved);
  core_->counters.bytes_in += got;
  if (auto fault = guard_.look(static_cast<const char*>(into), got)) {
    core_->refusals.note(refusal::bad_frame, peer_->address(), peer_->name(), std::string{*fault});
    peer_->cut("it sent " + std::string{*fault});
    return over();
  }
  if (!guard_.within_frame())
    peer_->frame_begun(false);
  else if (std::exchange(frames_, guard_.frames()) != guard_.frames())
    peer_->frame_begun(true);
  return state::success;
}

guarded_stream::state guarded_stream::write_some(size_t& put, socket, const void* from,
                                                 size_t size) {
  put = 0;
  if (over_)
    return state::failure;
  if (size == 0)
    return state::indeterminate;
  auto bytes = static_cast<const char*>(from);
  while (put < size && put < write_turn) {
    auto moved = tls_->write(bytes + put, size - put);
    if (moved < 0)
      return over();
    if (moved == 0)
      break;
    put += static_cast<size_t>(moved);
  }
  unsent_ = size - put;
  core_->counters.bytes_out += put;
  return state::success;
}

bool guarded_stream::must_read_more(socket, size_t threshold) {
  return !over_ && tls_->pending() >= threshold;
}

transport_scribe::transport_scribe(caf::io::network::default_multiplexer& loop,
                                   transport_core_ptr core, open_peer_ptr peer,
                                   settled_peer connection, frame_guard::side side)
  : scribe{caf::io::network::conn_hdl_from_socket(connection.fd.get())}, core_{std::move(core)},
    peer_{std::move(peer)}, stream_{loop, connection.fd.release(),
                                    guarded_stream{core_, peer_, std::move(connection.tls), side}} {
  core_->peers.add(peer_);
  if (auto old = core_->peers.surplus(peer_->name(), core_->options.max_links_per_name)) {
    core_->refusals.note(refusal::too_many_links, old->address(), old->name(), {});
    old->cut(std::string{in_words(refusal::too_many_links)});
  }
}

transport_scribe::~transport_scribe() {
  peer_->release();
  core_->peers.remove(peer_);
}

void transport_scribe::configure_read(caf::io::receive_policy::config config) {
  stream_.configure_read(config);
  if (!std::exchange(started_, true))
    stream_.start(this);
}

void transport_scribe::ack_writes(bool enable) {
  stream_.ack_writes(enable);
}

std::vector<char>& transport_scribe::wr_buf() {
  return stream_.wr_buf();
}

std::vector<char>& transport_scribe::rd_buf() {
  return stream_.rd_buf();
}

/// CAF keeps an actor for each node that it ever met, to spawn others there. Nobody
/// here uses it, and a node has a new id at each start.
void transport_scribe::forget_peer() {
  auto broker = static_cast<caf::io::basp_broker*>(parent());
  if (broker == nullptr)
    return;
  auto spawner = broker->spawn_servers.find(id_from_frames(core_->peers.id_of(peer_)));
  if (spawner == broker->spawn_servers.end())
    return;
  caf::anon_send_exit(spawner->second, caf::exit_reason::kill);
  broker->spawn_servers.erase(spawner);
}

void transport_scribe::graceful_shutdown() {
  stream_.graceful_shutdown();
  detach(&stream_.backend(), false);
}

void transport_scribe::flush() {
  if (stream_.wr_buf().size() + stream_.unsent() > core_->options.max_unsent) {
    if (peer_->ending().empty())
      core_->refusals.note(refusal::slow_reader, peer_->address(), peer_->name(), {});
    peer_->cut("it does not read");
    stream_.wr_buf() = {};
    return;
  }
  stream_.flush(this);
}

std::string transport_scribe::addr() const {
  return peer_->address();
}

uint16_t transport_scribe::port() const {
  return peer_->port();
}

void transport_scribe::add_to_loop() {
  stream_.activate(this);
}

/// However the connection ends, CAF calls this while it still knows the broker.
void transport_scribe::remove_from_loop() {
  forget_peer();
  stream_.passivate();
}

new_scribe make_scribe(caf::io::network::default_multiplexer& loop, const transport_core_ptr& core,
                       settled_peer connection, frame_guard::side side) {
  auto peer = std::make_shared<open_peer>(connection.tls->peer(), connection.tls->chain(),
                                          connection.at.host(), connection.at.port(),
                                          connection.fd.get(), side == frame_guard::side::accepted);
  auto out = caf::make_counted<transport_scribe>(loop, core, peer, std::move(connection), side);
  return {std::move(out), std::move(peer)};
}

} // namespace troupe
