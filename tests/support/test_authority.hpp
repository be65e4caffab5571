#pragma once

#include "nodes/cluster/authority/certificate.hpp"
#include "nodes/cluster/tls_material.hpp"
#include "tests/support/temp_folder.hpp"

#include <ctime>
#include <string>

namespace troupe::tests {

/// An authority that signs whatever a test asks for, also what ours would not.
class test_authority {
public:
  /// What is unusual about a certificate.
  struct oddities {
    int64_t from = -3600; ///< Seconds from now.
    int64_t to = 86'400;
  };

  /// `to`: when its own certificate ends, in seconds from now.
  explicit test_authority(int64_t to = 864'000);

  /// Makes key and certificate of `node` in a folder of their own; the same node
  /// again gets another one.
  tls_files issue(const std::string& node, oddities odd);
  tls_files issue(const std::string& node) {
    return issue(node, oddities{});
  }

  std::string fingerprint(const tls_files& of) const;
  std::string serial(const tls_files& of) const;

private:
  std::string write(const std::string& path, const std::string& text, unsigned mode) const;

  temp_folder folder_;
  key_pair key_;
  certificate own_;
  int issued_ = 0;
};

} // namespace troupe::tests
