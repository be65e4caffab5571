#pragma once

#include "nodes/cluster/authority/certificate.hpp"
#include "nodes/cluster/refusal_log.hpp"

#include <atomic>
#include <chrono>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe {

/// One connection to a node that has shown who it is. Threads: any.
class open_peer {
public:
  using clock = std::chrono::steady_clock;

  /// `dialed_us`: it came to us, we did not go to it.
  open_peer(certificate_facts who, certificate_chain chain, std::string address, uint16_t port,
            int fd, bool dialed_us)
    : who_{std::move(who)}, chain_{std::move(chain)}, good_until_{end_of(chain_)},
      address_{std::move(address)}, port_{port}, dialed_us_{dialed_us}, fd_{fd} {}

  const std::string& name() const {
    return who_.names.front();
  }
  const certificate_facts& certificate() const {
    return who_;
  }
  const certificate_chain& chain() const {
    return chain_;
  }
  /// When its certificate or that of its authority ends; Unix seconds.
  int64_t good_until() const {
    return good_until_;
  }
  const std::string& address() const {
    return address_;
  }
  uint16_t port() const {
    return port_;
  }

  /// Ends the connection; its owner notices through its socket. `why`: for who dialed.
  void cut(std::string why);

  /// A frame of the peer has begun now, or none has.
  void frame_begun(bool is) {
    frame_since_ = is ? clock::now().time_since_epoch().count() : 0;
  }

  /// The socket is about to be closed.
  void release();

  /// Returns why the connection ended, if that is known.
  std::string ending() const;

private:
  friend class transport_peers;

  certificate_facts who_;
  certificate_chain chain_;
  int64_t good_until_;
  std::string address_;
  uint16_t port_;
  bool dialed_us_;
  std::atomic<clock::rep> frame_since_{0}; ///< 0: no frame has begun.
  mutable std::mutex mutex_;
  int fd_;
  std::string ending_;
  std::string
    id_; ///< Of the node, as in frames; empty before it greeted. The table's lock guards it.
  bool joined_ = false; ///< The table's lock guards it too.
  clock::time_point since_ = clock::now();
};

using open_peer_ptr = std::shared_ptr<open_peer>;

/// All connections to nodes. Threads: any.
class transport_peers {
public:
  explicit transport_peers(transport_counters& counters) : counters_{counters} {}

  void add(const open_peer_ptr& peer);
  void remove(const open_peer_ptr& peer);

  /// Notes the id with which a peer greets. Returns false if a node of another
  /// name has it: ids address messages, so nobody may take over another's.
  bool greet(const open_peer_ptr& peer, std::string_view id);

  /// Returns the id with which a peer greeted; empty if it did not.
  std::string id_of(const open_peer_ptr& peer) const;

  /// Returns the connections of the node with this id.
  std::vector<open_peer_ptr> with_id(std::string_view id) const;

  std::vector<open_peer_ptr> all() const;

  /// Returns the peers that have not greeted for `limit`.
  std::vector<open_peer_ptr> silent(std::chrono::milliseconds limit) const;

  /// The node with this id has joined.
  void join(std::string_view id);

  /// Returns the peers that dialed us and have not joined for `limit`.
  std::vector<open_peer_ptr> unjoined(std::chrono::milliseconds limit) const;

  /// Returns the peers whose frame has not ended for `limit`.
  std::vector<open_peer_ptr> stuck(std::chrono::milliseconds limit) const;

  /// Returns what a name has too much if it may have `most` connections to us: one
  /// that did not join, the oldest. Null if there is nothing.
  open_peer_ptr surplus(const std::string& name, size_t most) const;

  /// Returns the peers whose certificates are no longer good, by Unix seconds.
  std::vector<open_peer_ptr> expired(int64_t now) const;

  /// Returns when the next certificate ends, by Unix seconds; nothing without peers.
  std::optional<int64_t> next_expiry() const;

private:
  template <class F>
  std::vector<open_peer_ptr> select(F&& wanted) const;

  transport_counters& counters_;
  mutable std::mutex mutex_;
  std::list<open_peer_ptr> peers_;
};

} // namespace troupe
