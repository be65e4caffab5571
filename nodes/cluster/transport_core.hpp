#pragma once

#include "nodes/cluster/refusal_log.hpp"
#include "nodes/cluster/tls_context.hpp"
#include "nodes/cluster/transport_options.hpp"
#include "nodes/cluster/transport_peers.hpp"

#include <memory>
#include <mutex>

namespace troupe {

/// What the parts of a transport share; connections keep it alive. Threads: any.
struct transport_core {
  transport_core(std::shared_ptr<tls_context> identity, peer_policy allowed,
                 transport_options limits)
    : tls{std::move(identity)}, options{std::move(limits)},
      rules{std::make_shared<const frame_rules>(options.frames)},
      policy_{std::make_shared<const peer_policy>(std::move(allowed))} {}

  std::shared_ptr<const peer_policy> policy() const {
    auto lock = std::lock_guard{mutex_};
    return policy_;
  }
  void set_policy(peer_policy allowed) {
    auto fresh = std::make_shared<const peer_policy>(std::move(allowed));
    auto lock = std::lock_guard{mutex_};
    policy_ = std::move(fresh);
  }

  const std::shared_ptr<tls_context> tls;
  const transport_options options;
  const std::shared_ptr<const frame_rules> rules;
  transport_counters counters;
  refusal_log refusals{counters};
  transport_peers peers{counters};
  std::string own_id; ///< This node's id as in frames; set before anything starts.

private:
  mutable std::mutex mutex_;
  std::shared_ptr<const peer_policy> policy_;
};

using transport_core_ptr = std::shared_ptr<transport_core>;

} // namespace troupe
