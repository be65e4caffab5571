#include "messages/time.hpp"
#include "nodes/cli/program.hpp"
#include "nodes/cli/session.hpp"
#include "nodes/cli/table.hpp"

#include <CLI/CLI.hpp>

#include <ostream>

namespace troupe::cli {

namespace {

std::string age(caf::timestamp since, caf::timestamp time) {
  return since.time_since_epoch().count() == 0 ? "" : to_short_text(time - since);
}

std::string time_left(caf::timestamp until, caf::timestamp time) {
  return until.time_since_epoch().count() == 0 ? "" : to_short_text(until - time);
}

/// The names of the roles, those that are down with why.
std::string roles_text(const node_view& node) {
  auto out = std::string{};
  for (const auto& role : node.roles)
    out +=
      (out.empty() ? "" : ",") + role.role + (role.up ? "" : "(down: " + role.last_error + ')');
  return out;
}

std::string nodes_table(const terminal& io, const node_list& all, caf::timestamp time) {
  auto rows = std::vector<std::vector<cell>>{};
  for (const auto& node : all.nodes)
    rows.push_back(
      {{node.node},
       {std::string{name_of(node.state)}, node.state == node_state::up     ? color::green
                                          : node.state == node_state::lost ? color::red
                                                                           : color::none},
       {age(node.since, time)},
       {age(node.seen_at, time)},
       {node.version},
       {node.address},
       {time_left(node.certificate_expires, time)},
       {node.state == node_state::up ? roles_text(node) : node.trouble}});
  return table_text(
    io, {"NODE", "STATE", "FOR", "SEEN", "VERSION", "ADDRESS", "CERTIFICATE", "ROLES"}, rows);
}

/// What the transport kept out, if anything.
std::string refusals_text(const node_list& all) {
  auto out = std::string{};
  for (const auto& x : all.connections) {
    auto told = {"open", "half_open", "accepted", "dialed", "bytes_in", "bytes_out"};
    if (x.count > 0 && std::find(told.begin(), told.end(), x.reason) == told.end())
      out += (out.empty() ? "refused: " : ", ") + x.reason + ' ' + std::to_string(x.count);
  }
  return out.empty() ? out : out + '\n';
}

void nodes(program& p) {
  auto server = session::open(p.options);
  if (!server)
    return p.fail(server.error());
  auto raw = json{};
  auto all = server->get<node_list>("/nodes", &raw);
  if (!all)
    return p.fail(all.error());
  if (p.options.json)
    return write_line(p.io, json_text(raw));
  p.io.out << nodes_table(p.io, *all, now()) << refusals_text(*all);
}

} // namespace

void add_nodes(program& p) {
  auto verb = p.verb("nodes", "List the nodes of the cluster and what kept others out",
                     "  troupe nodes\n"
                     "  troupe nodes --json | jq '.nodes[] | select(.state != \"up\")'\n");
  verb->callback([&p] { nodes(p); });
}

} // namespace troupe::cli
