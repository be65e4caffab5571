#include "nodes/cluster/authority/certificate_listing.hpp"

#include "messages/text_rule.hpp"

#include <openssl/x509v3.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>

namespace troupe {

namespace {

constexpr auto a_day = int64_t{86400};

/// When to say that an end is near: 30 days before, or the last third of a short life.
int64_t warning_time(const certificate_facts& of) {
  return of.not_after - std::min(30 * a_day, (of.not_after - of.not_before) / 3);
}

std::string remaining_text(int64_t seconds) {
  return seconds < 2 * a_day ? "expires within two days"
                             : "expires in " + std::to_string(seconds / a_day) + " days";
}

listed_certificate listed(const std::string& file, const certificate& cert, int64_t now) {
  auto facts = facts_of(cert);
  auto out = listed_certificate{};
  out.file = file;
  out.name = facts.authority || facts.names.empty() ? facts.subject : facts.names[0];
  if (!facts.names.empty())
    out.hosts.assign(facts.names.begin() + 1, facts.names.end());
  out.hosts.insert(out.hosts.end(), facts.addresses.begin(), facts.addresses.end());
  out.not_before = facts.not_before;
  out.not_after = facts.not_after;
  out.serial = facts.serial;
  out.fingerprint = facts.fingerprint;
  if (now >= facts.not_after)
    out.troubles.emplace_back("expired");
  else if (now >= warning_time(facts))
    out.troubles.push_back(remaining_text(facts.not_after - now));
  if (now < facts.not_before)
    out.troubles.emplace_back("not valid yet: does the clock go right?");
  return out;
}

void check_key(const std::string& path, key_readers readers, const certificate& cert,
               listed_certificate& out) {
  auto key = read_private_key(path, readers);
  if (!key)
    out.troubles.push_back(path + ": " + explain(key.error()).text);
  else if (X509_check_private_key(cert.get(), key->get()) != 1)
    out.troubles.push_back(path + ": is the key of another certificate");
}

bool has_file(const std::string& path) {
  struct stat is {};
  return ::stat(path.c_str(), &is) == 0;
}

} // namespace

listed_certificate list_authority(const std::string& folder, const certificate& cert, int64_t now) {
  auto out = listed(folder + "/ca.pem", cert, now);
  if (X509_check_ca(cert.get()) != 1)
    out.troubles.emplace_back("is no authority");
  // A node has the certificate only; that is how it should be.
  if (has_file(folder + "/ca.key"))
    check_key(folder + "/ca.key", key_readers::owner, cert, out);
  return out;
}

listed_certificate list_node(const std::string& folder, const certificate& authority, int64_t now) {
  auto file = folder + "/node.pem";
  auto cert = read_certificate(file);
  if (!cert) {
    auto out = listed_certificate{};
    out.file = file;
    out.name = std::filesystem::path{folder}.filename().string();
    out.troubles.push_back(explain(cert.error()).text);
    return out;
  }
  auto out = listed(file, *cert, now);
  if (X509_verify(cert->get(), X509_get0_pubkey(authority.get())) != 1) {
    out.troubles.emplace_back("signed by another authority");
    openssl_reason();
  }
  check_key(folder + "/node.key", key_readers::group, *cert, out);
  return out;
}

caf::expected<certificate_list> list_certificates(const std::string& folder, int64_t now) {
  auto cert = read_certificate(folder + "/ca.pem");
  if (!cert)
    return std::move(cert.error());
  auto out = certificate_list{list_authority(folder, *cert, now), {}};
  if (has_file(folder + "/node.pem"))
    out.nodes.push_back(list_node(folder, *cert, now));
  auto fault_code = std::error_code{};
  for (const auto& entry : std::filesystem::directory_iterator{folder, fault_code})
    if (obeys("word", entry.path().filename().string()) && has_file(entry.path() / "node.pem"))
      out.nodes.push_back(list_node(entry.path().string(), *cert, now));
  if (fault_code)
    return fault_at(ec::unavailable, folder, fault_code.message());
  std::sort(out.nodes.begin(), out.nodes.end(),
            [](const auto& a, const auto& b) { return a.name < b.name; });
  return out;
}

} // namespace troupe
