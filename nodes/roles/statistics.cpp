#include "actors/statistics/statistics_counter.hpp"
#include "nodes/node_store.hpp"

namespace troupe {

/// Beside the journal it shares the journal's store; on a node that has joined
/// another it has one of its own.
std::vector<supervised_role> prepare_statistics(node_context& node, section& in) {
  auto apart = !node.cluster.dial.empty();
  auto store = apart ? read_store_options(in) : store_options{};
  auto options = statistics_pump_options(apart ? node.options.name : std::string{});
  in.read("batch", options.batch_events, 1, 16384);
  auto out = supervised_role{};
  out.role = "statistics";
  out.start = [&node, apart, store, options]() -> caf::expected<caf::strong_actor_ptr> {
    if (apart)
      if (auto err = open_store(node, store))
        return err;
    if (!node.store)
      return fault(ec::unavailable, "the role statistics needs the role journal on its node");
    auto table = make_projection_table(node.store, family::statistics,
                                       apart ? table_sync::each_write : table_sync::with_journal);
    return started(node.sys->spawn<caf::detached>(statistics_counter, &node.roles, table, options,
                                                  statistics_limits{}));
  };
  return {std::move(out)};
}

} // namespace troupe
