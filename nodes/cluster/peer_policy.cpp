#include "nodes/cluster/peer_policy.hpp"

#include "nodes/cluster/authority/certificate.hpp"

namespace troupe {

std::optional<refusal> judge(const peer_policy& policy, const revocations& revoked,
                             const certificate_facts& who, const std::string& expected) {
  if (who.names.empty())
    return refusal::unnamed;
  if (revoked.count(who.serial) != 0 || revoked.count(who.fingerprint) != 0)
    return refusal::revoked;
  const auto& name = who.names.front();
  if (!expected.empty() && name != expected)
    return refusal::wrong_name;
  auto entry = policy.peers.find(name);
  if (entry == policy.peers.end())
    return refusal::not_listed;
  const auto& keys = entry->second;
  if (!keys.empty() && keys.count(who.fingerprint) == 0)
    return refusal::wrong_key;
  return std::nullopt;
}

} // namespace troupe
