#pragma once

#include "nodes/cluster/peer_link.hpp"
#include "nodes/cluster/transport_door.hpp"

#include <caf/io/scribe.hpp>

#include <map>
#include <set>

namespace troupe {

/// The dialer with what it is told by threads: addresses are there, the door is done.
using dialer_self = dialer_actor::extend<caf::reacts_to<caf::put_atom, uint64_t>,
                                         caf::reacts_to<caf::ok_atom, uint64_t>>;

/// What a dialer works with.
struct dialer_parts {
  transport_core_ptr core;
  std::shared_ptr<transport_door> door;
  caf::actor broker;                ///< CAF's, which speaks BASP.
  std::set<std::string> interface_; ///< That what the peer published must have.
};

/// State of a dialer.
struct dialer_state {
  static inline const char* name = "dialer";

  /// One question on its way. The threads write their part, then send a word.
  struct dial {
    std::string node;
    std::string host;
    caf::expected<std::vector<socket_address>> addresses{caf::none};
    caf::expected<caf::io::scribe_ptr> scribe{caf::none};
    open_peer_ptr peer;
  };
  struct waiting {
    std::shared_ptr<dial> what;
    caf::typed_response_promise<caf::strong_actor_ptr> promise;
  };

  dialer_parts parts;
  uint64_t last = 0;
  size_t resolving = 0;
  std::map<uint64_t, waiting> dials;
};

/// Connects to nodes; nothing that it does blocks it, and dials do not wait for
/// each other. Errors: `ec::unavailable`, `ec::timeout`, `ec::unauthorized` (one
/// side refused the other), `ec::unsupported` (what the peer published speaks
/// another protocol), `ec::saturated` (too many names being looked up).
dialer_self::behavior_type dialer(dialer_self::stateful_pointer<dialer_state> self,
                                  dialer_parts parts);

} // namespace troupe
