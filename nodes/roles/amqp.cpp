#include "bridges/amqp/amqp_bridge.hpp"
#include "nodes/role.hpp"

namespace troupe {

std::vector<supervised_role> prepare_amqp(node_context& node, section& in) {
  auto options = read_amqp_options(in, node.options.name);
  auto out = supervised_role{};
  out.role = "amqp";
  out.drains = true;
  out.start = [&node, options]() -> caf::expected<caf::strong_actor_ptr> {
    auto roles = amqp_roles{[&node] { return node.roles.find<journal_actor>("journal"); },
                            [&node] { return node.roles.find<job_ledger_actor>("jobs"); },
                            [&node] { return node.roles.find<objects_actor>("objects"); }};
    // It reads and writes much JSON: on a thread of its own it keeps no other actor waiting.
    return started(node.sys->spawn<caf::detached>(amqp_bridge, std::move(roles), options));
  };
  return {std::move(out)};
}

} // namespace troupe
