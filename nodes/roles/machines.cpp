#include "actors/machines/machine_tracker.hpp"
#include "nodes/node_store.hpp"

namespace troupe {

namespace {

using std::chrono::milliseconds;

void read_age(section& in, const char* key, caf::timespan& out) {
  auto value = std::chrono::duration_cast<milliseconds>(out);
  in.read(key, value);
  if (value < std::chrono::seconds{1})
    in.complain(key, "is too short");
  out = value;
}

machine_tracker_options read_machines(section& in) {
  auto out = machine_tracker_options{};
  read_age(in, "stale_after", out.limits.ages.stale_after);
  read_age(in, "longest_run", out.limits.ages.longest_run);
  read_age(in, "history_for", out.limits.history_for);
  auto keep_for = milliseconds{0};
  in.read("keep_for", keep_for);
  if (keep_for != milliseconds{0} && keep_for < std::chrono::hours{1})
    in.complain("keep_for", "must be 0s, for ever, or at least 1h");
  out.limits.keep_for = keep_for;
  in.read("own_runners", out.limits.own_runners);
  in.read("own_datacenter", out.limits.own_datacenter);
  if (!split_machine_id(to_machine_id(out.limits.own_datacenter, "x"))
      || out.limits.own_datacenter.find(':') != std::string::npos)
    in.complain("own_datacenter", "must be one word without a colon");
  auto alerts = in.child("alerts");
  alerts.read("enabled", out.alerts);
  alerts.read("exceptions", out.exceptions_in_a_row, 0, 900);
  read_age(alerts, "interval", out.look_interval);
  in.read("batch", out.batch_events, 1, 16384);
  return out;
}

} // namespace

/// Beside the journal it shares the journal's store; on a node that has joined
/// another it has one of its own.
std::vector<supervised_role> prepare_machines(node_context& node, section& in) {
  auto apart = !node.cluster.dial.empty();
  auto store = apart ? read_store_options(in) : store_options{};
  auto options = read_machines(in);
  if (apart)
    options.node = node.options.name;
  auto out = supervised_role{};
  out.role = "machines";
  out.drains = true;
  out.start = [&node, apart, store, options]() -> caf::expected<caf::strong_actor_ptr> {
    if (apart)
      if (auto err = open_store(node, store))
        return err;
    if (!node.store)
      return fault(ec::unavailable, "the role machines needs the role journal on its node");
    auto table = make_projection_table(node.store, family::machines,
                                       apart ? table_sync::each_write : table_sync::with_journal);
    return started(node.sys->spawn<caf::detached>(machine_tracker, &node.roles, table, options));
  };
  return {std::move(out)};
}

} // namespace troupe
