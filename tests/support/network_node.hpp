#pragma once

#include "messages/protocols.hpp"
#include "nodes/cluster/transport.hpp"
#include "tests/support/test_authority.hpp"

#include <caf/actor_system.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <memory>
#include <string>

namespace troupe::tests {

/// What test nodes publish.
using echo_actor = caf::typed_actor<
  // Answers the same; "fail" with an error.
  caf::replies_to<std::string>::with<std::string>,
  // Answers the number of bytes.
  caf::replies_to<write_artifact>::with<uint64_t>,
  // Swallows.
  caf::reacts_to<caf::put_atom, std::string>>;

/// A node as far as the network goes: an actor system with a transport, listening
/// on loopback.
class network_node {
public:
  network_node(const tls_files& files, peer_policy policy, transport_options options = {});
  ~network_node();

  /// Dials `node` and returns what it published.
  caf::expected<echo_actor> join(const std::string& node, uint16_t port,
                                 const std::string& host = "127.0.0.1");

  /// Asks; empty if there is no answer within two seconds.
  std::string ask(const echo_actor& whom, const std::string& text);

  uint16_t port() const {
    return port_;
  }
  transport& net() {
    return *net_;
  }
  uint64_t refused(refusal why) const {
    return net_->counters().of(why);
  }
  tls_context& identity() {
    return *identity_;
  }

private:
  struct network_config : caf::actor_system_config {
    network_config();
  };

  network_config config_;
  std::unique_ptr<caf::actor_system> sys_;
  std::shared_ptr<tls_context> identity_;
  std::shared_ptr<transport> net_;
  echo_actor echo_;
  dialer_actor dialer_;
  uint16_t port_ = 0;

public:
  caf::actor_system& sys() {
    return *sys_;
  }
};

/// A list of nodes with any key.
peer_policy any_key_of(std::initializer_list<std::string> names);

} // namespace troupe::tests
