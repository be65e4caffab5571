#pragma once

#include "messages/error.hpp"

#include <cstdint>
#include <string>
#include <vector>

/// The private authority of a cluster: a folder with
///
///     ca.pem            its certificate; every node has a copy
///     ca.key            its key (mode 0600): whoever has it can join as any node
///     NAME/node.pem     certificate of the node NAME
///     NAME/node.key     its key (mode 0600)
///     NAME/ca.pem       copy of ca.pem
///
/// Everything here blocks; one process at a time changes a folder.
namespace troupe {

/// A certificate as people and scripts see it.
struct listed_certificate {
  std::string file;
  std::string name;               ///< Of the node, or of the authority.
  std::vector<std::string> hosts; ///< Further names and addresses.
  int64_t not_before = 0;         ///< Unix seconds.
  int64_t not_after = 0;
  std::string serial;
  std::string fingerprint;           ///< Of the public key: "sha256:" and 64 hexadecimal digits.
  std::vector<std::string> troubles; ///< Why it would be refused, or soon will be.
};

/// What is in the folder of an authority, or of one node.
struct certificate_list {
  listed_certificate authority;
  std::vector<listed_certificate> nodes; ///< By name.
};

/// Makes an authority that is valid for `days` from `now` on. Errors:
/// `ec::conflict` if the folder has one, `ec::invalid_argument`,
/// `ec::disk_full`, `ec::unavailable`.
caf::expected<listed_certificate> make_authority(const std::string& folder, int days, int64_t now);

struct node_certificate_order {
  std::string node;
  std::vector<std::string> hosts; ///< A renewed certificate keeps its own if there are none.
  int days = 0;
  bool renew = false;   ///< Replace the certificate that is there, keep the key.
  bool new_key = false; ///< With `renew`: make a new key too.
};

/// Makes key and certificate of a node. Errors: `ec::conflict` if it has one and
/// is not to be renewed, `ec::not_found` if there is no authority or nothing to
/// renew, `ec::forbidden` if others may read the authority's key,
/// `ec::invalid_argument`, `ec::disk_full`, `ec::unavailable`.
caf::expected<listed_certificate>
issue_certificate(const std::string& folder, const node_certificate_order& order, int64_t now);

/// Returns what is in a folder. Errors: `ec::not_found` if it has no `ca.pem`,
/// `ec::invalid_argument` if that is no certificate, `ec::unavailable`. What is wrong with a
/// node's files is among its troubles.
caf::expected<certificate_list> list_certificates(const std::string& folder, int64_t now);

} // namespace troupe
