#pragma once

#include "nodes/cluster/tls_material.hpp"

#include <chrono>
#include <mutex>

namespace troupe {

/// A node's identity towards other nodes. Threads: any.
class tls_context {
public:
  /// Errors: as `read_tls_material`.
  static caf::expected<std::shared_ptr<tls_context>> make(tls_files files);

  /// Reads the files again; new handshakes use them. On failure all stays as it
  /// was. Errors: as `read_tls_material`; `ec::conflict` if the node's name changed.
  caf::error reload();

  std::shared_ptr<const tls_material> current() const;

  /// Returns the node's own name.
  std::string name() const;
  std::chrono::system_clock::time_point expires() const;

private:
  tls_context(tls_files files, std::shared_ptr<const tls_material> material);

  tls_files files_;
  mutable std::mutex mutex_;
  std::shared_ptr<const tls_material> material_;
};

} // namespace troupe
