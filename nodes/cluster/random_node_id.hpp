#pragma once

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/node_id.hpp>

#include <string>
#include <string_view>

namespace troupe {

/// Gives the actor system a random node id before the network starts. CAF makes
/// its own from the host's addresses and the process number, so that two
/// containers can have the same and take each other for themselves. The id is
/// new at each start and tells nothing of who the node is.
///
/// Loaded like one of CAF's modules, in a slot that 0.17 does not use.
class random_node_id final : public caf::actor_system::module {
public:
  explicit random_node_id(caf::actor_system& sys) : sys_{sys} {}

  void start() override {}
  void stop() override {}
  void init(caf::actor_system_config&) override;
  id_t id() const override;
  void* subtype_ptr() override;
  static caf::actor_system::module* make(caf::actor_system& sys, caf::detail::type_list<>);

private:
  caf::actor_system& sys_;
};

/// Returns a node id as it stands in frames; empty for no id.
std::string id_in_frames(const caf::node_id& id);

/// Returns the id that a guarded frame holds (`frame_guard::id_size` bytes); none if there is none.
caf::node_id id_from_frames(std::string_view bytes);

} // namespace troupe
