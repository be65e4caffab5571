#pragma once

#include "bridges/http/client.hpp"
#include "tests/support/child_process.hpp"
#include "tests/support/temp_folder.hpp"

#include <cstdint>
#include <string>

namespace troupe::bench {

/// A `troupe-node` process of this build on a private folder and an ephemeral port.
class measured_node {
public:
  /// Starts it with these roles (YAML) and waits until it is ready; `data` is kept. Throws.
  explicit measured_node(const std::string& roles, std::string data = {});
  ~measured_node();
  measured_node(const measured_node&) = delete;
  measured_node& operator=(const measured_node&) = delete;

  uint16_t port() const;
  std::string token() const;
  http_client client() const;

  tests::child_process process{{"/bin/true"}, {}, "/dev/null"};
  double cold_start_ms = 0;

private:
  bool ready() const;

  tests::temp_folder folder_;
  std::string data_;
};

} // namespace troupe::bench
