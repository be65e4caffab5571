#include "actors/jobs/job_history.hpp"
#include "actors/jobs/job_ledger.hpp"
#include "actors/projection/projection_table.hpp"
#include "nodes/cluster/peer_link.hpp"
#include "nodes/cluster/transport.hpp"
#include "nodes/node_store.hpp"

namespace troupe {

namespace {

using std::chrono::milliseconds;

void read_span(section& in, const char* key, caf::timespan& out) {
  auto value = std::chrono::duration_cast<milliseconds>(out);
  in.read(key, value);
  out = value;
}

ledger_options read_ledger(section& in) {
  auto out = ledger_options{};
  read_span(in, "lease", out.lease);
  read_span(in, "run_grace", out.run_grace);
  read_span(in, "cancel_grace", out.cancel_grace);
  read_span(in, "avoid_grace", out.avoid_grace);
  read_span(in, "first_backoff", out.backoff[0]);
  read_span(in, "second_backoff", out.backoff[1]);
  read_span(in, "longest_backoff", out.backoff[2]);
  in.read("max_jobs", out.max_jobs, 1, 100'000'000);
  return out;
}

/// Returns the name in the certificate of who sent a message. A node must be joined
/// to send one: whoever asks about another sees the connections.
std::optional<std::string> node_of(const node_context& node, const caf::node_id& id) {
  if (id == node.sys->node())
    return node.options.name;
  auto peer = node.connections ? node.connections->peer_of(id) : std::nullopt;
  return peer ? std::optional{std::move(peer->node)} : std::nullopt;
}

history_options read_history(section& in) {
  auto out = history_options{};
  auto keep = milliseconds{out.keep_for};
  in.read("keep_for", keep);
  out.keep_for = std::chrono::duration_cast<std::chrono::hours>(keep);
  in.read("keep_jobs", out.keep_jobs, 1, INT64_MAX);
  return out;
}

} // namespace

std::vector<supervised_role> prepare_jobs(node_context& node, section& in) {
  auto history = supervised_role{};
  history.role = "history";
  auto inner = in.child("history");
  history.start = [&node, options =
                            read_history(inner)]() mutable -> caf::expected<caf::strong_actor_ptr> {
    if (!node.store)
      return fault(ec::unavailable, "the role jobs needs the role journal on its node");
    return started(node.sys->spawn<caf::detached>(
      job_history, &node.roles, make_projection_table(node.store, family::history), options));
  };
  auto ledger = supervised_role{};
  ledger.role = "jobs";
  ledger.drains = true;
  auto options = read_ledger(in);
  options.node_of = [&node](const caf::node_id& id) { return node_of(node, id); };
  ledger.start = [&node, options]() -> caf::expected<caf::strong_actor_ptr> {
    return started(node.sys->spawn(job_ledger, &node.roles, options));
  };
  return {std::move(history), std::move(ledger)};
}

/// A history on a node that has joined another: answers reads there, from a store
/// of its own that follows the journal of the other node.
std::vector<supervised_role> prepare_history(node_context& node, section& in) {
  auto options = read_history(in);
  options.consumer = "history@" + node.options.name;
  options.elder = far_role("history");
  auto out = supervised_role{};
  out.role = "history";
  out.start = [&node, options,
               store = read_store_options(in)]() -> caf::expected<caf::strong_actor_ptr> {
    if (auto err = open_store(node, store))
      return err;
    return started(node.sys->spawn<caf::detached>(
      job_history, &node.roles,
      make_projection_table(node.store, family::history, table_sync::each_write), options));
  };
  return {std::move(out)};
}

} // namespace troupe
