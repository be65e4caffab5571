#pragma once

#include <fstream>
#include <iterator>
#include <string>

namespace troupe::tests {

/// The whole of a file; empty if there is none.
inline std::string slurp(const std::string& path) {
  auto in = std::ifstream{path, std::ios::binary};
  return {std::istreambuf_iterator<char>{in}, {}};
}

} // namespace troupe::tests
