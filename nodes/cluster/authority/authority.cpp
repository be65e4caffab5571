#include "nodes/cluster/authority/authority.hpp"

#include "messages/text_rule.hpp"
#include "nodes/cluster/authority/certificate_listing.hpp"
#include "nodes/cluster/authority/durable_file.hpp"

#include <openssl/x509v3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

namespace troupe {

namespace {

constexpr auto longest_days = 7300; // 20 years
constexpr auto day = int64_t{86400};
/// Hosts whose clocks are a little behind accept a certificate that was made just now.
constexpr auto clock_leeway = int64_t{300};
constexpr auto most_hosts = size_t{32};

bool is_there(const std::string& path) {
  struct stat is {};
  return ::lstat(path.c_str(), &is) == 0;
}

caf::error check_days(int days) {
  if (days < 1 || days > longest_days)
    return fault_at(ec::invalid_argument, "--days", "must be between 1 and 7300");
  return caf::none;
}

caf::error check_names(const std::string& folder, const node_certificate_order& order) {
  if (!obeys("word", order.node))
    return fault_at(ec::invalid_argument, "NAME",
                    "must be letters, digits, '.', '_' and '-', as node.name of the configuration");
  if (order.node == "ca.pem" || order.node == "ca.key")
    return fault_at(ec::invalid_argument, "NAME", "is a file of the authority");
  if (order.hosts.size() > most_hosts)
    return fault_at(ec::invalid_argument, "--host", "at most 32");
  for (const auto& host : order.hosts) {
    if (!is_certifiable_host(host))
      return fault_at(ec::invalid_argument, "--host",
                      "must be an IP address or a DNS name without wildcard");
    // Every name in a certificate is one under which the node may speak.
    if (host != order.node && is_there(folder + '/' + host + "/node.pem"))
      return fault_at(ec::invalid_argument, "--host", host + " is another node");
  }
  return caf::none;
}

struct authority_pair {
  certificate cert;
  key_pair key;
};

caf::expected<authority_pair> open_authority(const std::string& folder) {
  auto path = folder + "/ca.pem";
  auto cert = read_certificate(path);
  if (!cert && explain(cert.error()).code == ec::not_found)
    return fault_at(ec::not_found, path,
                    "there is no authority; make one with: troupe cluster init");
  if (!cert)
    return std::move(cert.error());
  auto key = read_private_key(folder + "/ca.key", key_readers::owner);
  if (!key)
    return std::move(key.error());
  if (X509_check_private_key(cert->get(), key->get()) != 1)
    return fault_at(ec::invalid_argument, folder + "/ca.key", "is not the key of ca.pem");
  if (X509_check_ca(cert->get()) != 1)
    return fault_at(ec::invalid_argument, path, "is no authority");
  return authority_pair{std::move(*cert), std::move(*key)};
}

caf::error check_end(const authority_pair& by, int64_t not_after, int64_t now) {
  auto left = (facts_of(by.cert).not_after - now) / day;
  if (not_after <= facts_of(by.cert).not_after)
    return caf::none;
  return fault_at(ec::invalid_argument, "--days",
                  left < 1 ? "the authority ends within a day: make a new one"
                           : "the authority ends before; at most " + std::to_string(left));
}

/// The three files of a node, not yet under its name.
caf::error write_node(const std::string& folder, const key_pair& key, const certificate& cert,
                      const certificate& authority) {
  if (auto err = write_durable_file(folder + "/node.key", secret_text{private_pem(key)}.text(),
                                    0600, present_file::replace))
    return err;
  if (auto err = write_durable_file(folder + "/ca.pem", certificate_pem(authority), 0644,
                                    present_file::replace))
    return err;
  return write_durable_file(folder + "/node.pem", certificate_pem(cert), 0644,
                            present_file::replace);
}

caf::error write_new_node(const std::string& folder, const std::string& node, const key_pair& key,
                          const certificate& cert, const certificate& authority) {
  auto draft = folder + "/." + node + ".new";
  if (auto err = make_private_folder(draft))
    return err;
  auto err = write_node(draft, key, cert, authority);
  if (!err)
    err = publish_folder(draft, folder + '/' + node);
  if (err) {
    for (const auto* file : {"/node.key", "/ca.pem", "/node.pem"})
      ::unlink((draft + file).c_str());
    ::rmdir(draft.c_str());
  }
  return err;
}

/// What a renewed certificate keeps.
caf::expected<key_pair> keep_old(const std::string& own, node_certificate_order& order) {
  auto old = read_certificate(own + "/node.pem");
  if (!old && explain(old.error()).code == ec::not_found)
    return fault_at(ec::not_found, own + "/node.pem", "there is nothing to renew");
  if (!old)
    return std::move(old.error());
  auto facts = facts_of(*old);
  if (facts.names.empty() || facts.names[0] != order.node)
    return fault_at(ec::invalid_argument, own + "/node.pem", "is not of this node");
  if (order.hosts.empty()) {
    order.hosts.assign(facts.names.begin() + 1, facts.names.end());
    order.hosts.insert(order.hosts.end(), facts.addresses.begin(), facts.addresses.end());
  }
  if (order.new_key)
    return make_key_pair();
  auto key = read_private_key(own + "/node.key");
  if (key && X509_check_private_key(old->get(), key->get()) != 1)
    return fault_at(ec::invalid_argument, own + "/node.key",
                    "is not the key of node.pem; --new-key makes another");
  return key;
}

} // namespace

caf::expected<listed_certificate> make_authority(const std::string& folder, int days, int64_t now) {
  if (auto err = check_days(days))
    return err;
  if (auto err = make_private_folder(folder))
    return err;
  auto lock = folder_lock::take(folder);
  if (!lock)
    return std::move(lock.error());
  for (const auto* file : {"/ca.key", "/ca.pem"})
    if (is_there(folder + file))
      return fault_at(ec::conflict, folder + file,
                      "is there already; an authority is never overwritten");
  auto key = make_key_pair();
  if (!key)
    return std::move(key.error());
  auto order = certificate_order{"", {}, now - clock_leeway, now + days * day};
  auto cert = sign_certificate(order, *key, *key, nullptr);
  if (!cert)
    return std::move(cert.error());
  auto key_file = folder + "/ca.key";
  if (auto err = write_durable_file(key_file, secret_text{private_pem(*key)}.text(), 0600,
                                    present_file::keep))
    return err;
  if (auto err =
        write_durable_file(folder + "/ca.pem", certificate_pem(*cert), 0644, present_file::keep)) {
    ::unlink(key_file.c_str()); // nothing was signed with it
    return err;
  }
  return list_authority(folder, *cert, now);
}

caf::expected<listed_certificate>
issue_certificate(const std::string& folder, const node_certificate_order& asked, int64_t now) {
  auto order = asked;
  if (auto err = check_days(order.days))
    return err;
  if (auto err = check_names(folder, order))
    return err;
  auto lock = folder_lock::take(folder);
  if (!lock)
    return explain(lock.error()).code == ec::not_found ? fault_at(
             ec::not_found, folder, "there is no authority; make one with: troupe cluster init")
                                                       : std::move(lock.error());
  auto by = open_authority(folder);
  if (!by)
    return std::move(by.error());
  auto not_after = now + order.days * day;
  if (auto err = check_end(*by, not_after, now))
    return err;
  auto own = folder + '/' + order.node;
  if (!order.renew && is_there(own + "/node.pem"))
    return fault_at(ec::conflict, own, "has a certificate already; --renew makes another");
  auto key = order.renew ? keep_old(own, order) : make_key_pair();
  if (!key)
    return std::move(key.error());
  auto what = certificate_order{order.node, order.hosts, now - clock_leeway, not_after};
  auto cert = sign_certificate(what, *key, by->key, by->cert);
  if (!cert)
    return std::move(cert.error());
  auto err = order.renew ? write_node(own, *key, *cert, by->cert)
                         : write_new_node(folder, order.node, *key, *cert, by->cert);
  if (err)
    return err;
  return list_node(own, by->cert, now);
}

} // namespace troupe
