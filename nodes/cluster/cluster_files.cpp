#include "nodes/cluster/cluster_files.hpp"

#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace troupe {

caf::expected<std::shared_ptr<tls_context>> read_identity(const cluster_options& from,
                                                          const std::string& node) {
  auto files = tls_files{from.certificate, from.key, from.authority, {}};
  if (!from.revoked.empty())
    files.revoked = from.revoked;
  auto out = tls_context::make(std::move(files));
  if (out && (*out)->name() != node)
    return fault_at(ec::invalid_config, from.certificate,
                    "names the node '" + (*out)->name() + "', node.name is '" + node + "'");
  return out;
}

void check_identity(section& in, const cluster_options& from, const std::string& node) {
  const auto files = std::array{
    std::pair{"certificate", &from.certificate},
    std::pair{"key", &from.key},
    std::pair{"authority", &from.authority},
    std::pair{"revoked", &from.revoked},
  };
  auto missing = false;
  for (const auto& [key, path] : files)
    if (!path->empty() && ::access(path->c_str(), R_OK) != 0) {
      in.complain(key, *path + ": " + std::strerror(errno));
      missing = true;
    }
  if (missing || from.certificate.empty() || from.key.empty() || from.authority.empty())
    return;
  auto identity = read_identity(from, node);
  if (identity)
    return;
  auto place = explain(identity.error()).place;
  auto at = "certificate";
  for (const auto& [key, path] : files)
    if (!path->empty() && (place == *path || place.starts_with(*path + ':')))
      at = key;
  in.complain(at, one_line(identity.error()));
}

} // namespace troupe
