#include "nodes/cluster/random_node_id.hpp"

#include <caf/binary_deserializer.hpp>
#include <caf/binary_serializer.hpp>
#include <openssl/rand.h>
#include <unistd.h>

#include <vector>

namespace troupe {

void random_node_id::init(caf::actor_system_config&) {
  auto host = caf::node_id::default_data::host_id_type{};
  if (RAND_bytes(host.data(), static_cast<int>(host.size())) != 1)
    return; // CAF's own id stays: weaker, not wrong.
  // The system is not const; only its accessor is.
  const_cast<caf::node_id&>(sys_.node()) = caf::make_node_id(static_cast<uint32_t>(getpid()), host);
}

caf::actor_system::module::id_t random_node_id::id() const {
  return network_manager;
}

void* random_node_id::subtype_ptr() {
  return this;
}

caf::actor_system::module* random_node_id::make(caf::actor_system& sys, caf::detail::type_list<>) {
  return new random_node_id{sys};
}

std::string id_in_frames(const caf::node_id& id) {
  auto bytes = std::vector<char>{};
  auto sink = caf::binary_serializer{nullptr, bytes};
  if (!id || id.serialize(sink))
    return {};
  return {bytes.begin(), bytes.end()};
}

caf::node_id id_from_frames(std::string_view bytes) {
  auto out = caf::node_id{};
  auto source = caf::binary_deserializer{nullptr, bytes.data(), bytes.size()};
  if (out.deserialize(source))
    return {};
  return out;
}

} // namespace troupe
