#pragma once

#include "nodes/cluster/transport.hpp"

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <map>

namespace troupe {

/// Looks at the files of a node's identity now, and then every minute.
using certificate_watch_actor = caf::typed_actor<caf::reacts_to<caf::tick_atom>>;

/// State of the certificate watch.
struct certificate_watch_state {
  static inline const char* name = "certificate_watch";

  std::shared_ptr<transport> connections;
  std::vector<std::string> files;
  std::map<std::string, int64_t> changed_at; ///< Nanoseconds; what was read last.
  caf::timestamp warned{};                   ///< Of a certificate that expires soon.
};

/// Reads the identity again when one of its files has changed, and warns while it
/// expires within 14 days. Spawn it detached: it reads files.
certificate_watch_actor::behavior_type
certificate_watch(certificate_watch_actor::stateful_pointer<certificate_watch_state> self,
                  std::shared_ptr<transport> connections, std::vector<std::string> files);

} // namespace troupe
