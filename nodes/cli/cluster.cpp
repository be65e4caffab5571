#include "config/printable.hpp"
#include "nodes/cli/exit_code.hpp"
#include "nodes/cli/program.hpp"
#include "nodes/cli/table.hpp"
#include "nodes/cluster/authority/authority.hpp"
#include "nodes/role.hpp"

#include <CLI/CLI.hpp>

#include <ctime>
#include <ostream>

namespace troupe::cli {

namespace {

struct cluster_orders {
  std::string folder = "cluster";
  int authority_days = 3650;
  node_certificate_order order;
  std::vector<std::string> roles;
};

std::string date_text(int64_t seconds) {
  auto at = static_cast<time_t>(seconds);
  auto parts = tm{};
  gmtime_r(&at, &parts);
  char out[32];
  return {out, strftime(out, sizeof out, "%Y-%m-%d", &parts)};
}

json certificate_json(const listed_certificate& of) {
  return {{"file", of.file},
          {"name", of.name},
          {"hosts", of.hosts},
          {"not_before", of.not_before},
          {"not_after", of.not_after},
          {"serial", of.serial},
          {"fingerprint", of.fingerprint},
          {"troubles", of.troubles}};
}

std::string joined(const std::vector<std::string>& parts, const char* between) {
  auto out = std::string{};
  for (const auto& part : parts)
    out += (out.empty() ? "" : between) + part;
  return out;
}

/// The node's entry in the list of the node that listens.
std::string peers_line(const listed_certificate& node, const std::vector<std::string>& roles) {
  return node.name + ": {roles: [" + (roles.empty() ? "ROLE, ..." : joined(roles, ", "))
         + "], fingerprint: \"" + node.fingerprint + "\"}";
}

void init_cluster(program& p, const cluster_orders& in) {
  auto made = make_authority(in.folder, in.authority_days, time(nullptr));
  if (!made)
    return p.fail(made.error());
  if (p.options.json)
    return write_line(p.io, json_text(certificate_json(*made)));
  auto dir = in.folder == "cluster" ? std::string{} : " --dir " + in.folder;
  p.io.out << in.folder << "/ca.pem  the cluster's authority, valid until "
           << date_text(made->not_after) << '\n'
           << in.folder << "/ca.key  its key: keep it off the nodes, and back it up;\n"
           << "  whoever has it can join as any node\n\nNext, for each node:\n"
           << "  troupe cluster cert state-1" << dir << " --role journal --role jobs\n";
}

void issue_node(program& p, const cluster_orders& in) {
  if (in.order.new_key && !in.order.renew)
    return p.fail(fault_at(ec::invalid_argument, "--new-key", "goes with --renew"));
  auto made = issue_certificate(in.folder, in.order, time(nullptr));
  if (!made)
    return p.fail(made.error());
  auto line = peers_line(*made, in.roles);
  if (p.options.json) {
    auto out = certificate_json(*made);
    out["peers"] = line;
    return write_line(p.io, json_text(out));
  }
  auto own = in.folder + '/' + made->name;
  p.io.out << own << "/node.pem  certificate, valid until " << date_text(made->not_after) << '\n'
           << own << "/node.key  its key: for the node's user only (mode 0600)\n"
           << own << "/ca.pem    the authority\n"
           << "public key  " << made->fingerprint << "\n\n"
           << "Copy the three files to " << made->name
           << ", and put this under cluster.peers of the node that it dials:\n  " << line << '\n';
}

std::vector<cell> listed_row(const listed_certificate& of, const char* kind) {
  auto tint = of.troubles.empty() ? color::none : color::red;
  return {{of.name},
          {kind},
          {of.not_after == 0 ? "" : date_text(of.not_after), tint},
          {joined(of.hosts, " ")},
          {of.fingerprint}};
}

void show_cluster(program& p, const cluster_orders& in) {
  auto all = list_certificates(in.folder, time(nullptr));
  if (!all)
    return p.fail(all.error());
  auto nodes = json::array();
  auto rows = std::vector<std::vector<cell>>{listed_row(all->authority, "authority")};
  auto troubled = std::vector<listed_certificate>{};
  if (!all->authority.troubles.empty())
    troubled.push_back(all->authority);
  for (const auto& node : all->nodes) {
    nodes.push_back(certificate_json(node));
    rows.push_back(listed_row(node, "node"));
    if (!node.troubles.empty())
      troubled.push_back(node);
  }
  if (!troubled.empty())
    p.exit_code = exit_code::bad_input;
  if (p.options.json)
    return write_line(p.io, json_text({{"authority", certificate_json(all->authority)},
                                       {"nodes", std::move(nodes)}}));
  p.io.out << table_text(p.io, {"NAME", "KIND", "EXPIRES", "HOSTS", "PUBLIC KEY"}, rows, 64);
  for (const auto& of : troubled)
    p.io.err << "troupe: " << printable(of.file + ": " + joined(of.troubles, "; ")) << '\n';
}

void add_cluster_folder(CLI::App& verb, cluster_orders& in) {
  verb.add_option("--dir", in.folder, "Folder of the authority")->capture_default_str();
}

void add_cluster_init(program& p, CLI::App& to, cluster_orders& in) {
  auto verb = to.add_subcommand("init", "Make the cluster's private authority; never overwrites");
  add_cluster_folder(*verb, in);
  verb->add_option("--days", in.authority_days, "How long it is valid")->capture_default_str();
  verb->callback([&p, &in] { init_cluster(p, in); });
}

void add_cluster_cert(program& p, CLI::App& to, cluster_orders& in) {
  auto verb = to.add_subcommand("cert", "Make key and certificate of a node");
  in.order.days = 365;
  auto names = std::vector<std::string>{};
  for (const auto& row : role_table())
    names.emplace_back(row.name);
  verb->add_option("NAME", in.order.node, "node.name of its configuration")->required();
  add_cluster_folder(*verb, in);
  verb->add_option("--days", in.order.days, "How long it is valid")->capture_default_str();
  verb->add_option("--host", in.order.hosts, "Further DNS name or IP address; repeatable")
    ->allow_extra_args(false);
  verb->add_option("--role", in.roles, "Role that it plays, for the printed line; repeatable")
    ->check(CLI::IsMember(names))
    ->allow_extra_args(false);
  verb->add_flag("--renew", in.order.renew, "Replace the certificate, keep key and hosts");
  verb->add_flag("--new-key", in.order.new_key, "With --renew: make a new key too");
  verb->callback([&p, &in] { issue_node(p, in); });
}

void add_cluster_show(program& p, CLI::App& to, cluster_orders& in) {
  auto verb = to.add_subcommand(
    "show", "List names, ends and public keys; exit code 2 if one is or will soon be no good");
  verb->add_option("DIR", in.folder, "Folder of an authority, or of one node")
    ->capture_default_str();
  verb->callback([&p, &in] { show_cluster(p, in); });
}

} // namespace

void add_cluster(program& p) {
  auto verb = p.verb("cluster", "Make the certificates with which nodes trust each other",
                     "  troupe cluster init\n"
                     "  troupe cluster cert state-1 --host state-1.example.org\n"
                     "  troupe cluster cert runner-1 --role tests --days 90\n"
                     "  troupe cluster cert runner-1 --renew\n"
                     "  troupe cluster show cluster --json\n");
  verb->require_subcommand(1);
  // The verb lives as long as the program, and so do its options.
  auto in = std::make_shared<cluster_orders>();
  verb->callback([in] {});
  add_cluster_init(p, *verb, *in);
  add_cluster_cert(p, *verb, *in);
  add_cluster_show(p, *verb, *in);
}

} // namespace troupe::cli
