#pragma once

#include "nodes/cluster/refusal.hpp"

#include <map>
#include <optional>
#include <set>
#include <string>

namespace troupe {

struct certificate_facts;

/// Which nodes this one talks to. A name is allowed only if it is listed: that
/// the authority signed a certificate is not enough.
struct peer_policy {
  /// Name -> fingerprints of its public keys ("sha256:" and 64 hexadecimal
  /// digits); none means any key whose certificate the authority signed.
  std::map<std::string, std::set<std::string>> peers;
};

/// Serials and key fingerprints that are no longer accepted.
using revocations = std::set<std::string>;

/// Returns why the owner of a verified certificate is not accepted, if so.
/// `expected`: the name that was dialed; empty for who dialed us.
std::optional<refusal> judge(const peer_policy& policy, const revocations& revoked,
                             const certificate_facts& who, const std::string& expected);

} // namespace troupe
