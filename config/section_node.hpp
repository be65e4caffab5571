#pragma once

#include "config/section.hpp"
#include "config/yaml_tree.hpp"

#include <set>

namespace troupe {

/// What the copies of one `section` share.
struct section::node {
  std::shared_ptr<const yaml_value> tree; ///< The whole document; keeps `at` alive.
  const yaml_value* at = nullptr;         ///< A mapping.
  std::string file;
  std::string path;
  std::vector<std::string> known; ///< Keys that were asked for, in order.
  std::vector<config_fault> faults;
  std::vector<config_key> keys;
  std::vector<std::shared_ptr<node>> children;

  node(std::shared_ptr<const yaml_value> document, const yaml_value& mapping, std::string name,
       std::string place);

  std::string path_of(std::string_view key) const;
  void know(std::string_view key);
  void describe(std::string_view key, std::string kind, std::string standard);
  void complain(int line, int column, std::string key, std::string text);
  void complain(const yaml_value& x, std::string_view key, std::string text);
  /// Returns the value under `key`, null if it is absent or empty; declares the key.
  const yaml_value* take(std::string_view key);
  /// As `take`, and it must be a scalar; complains that it "must be `wanted`" otherwise.
  const yaml_value* take_scalar(std::string_view key, std::string_view wanted, bool may_be_quoted);
  std::shared_ptr<node> open(const yaml_value& mapping, std::string place);
  void complain_of_unknown(std::vector<config_fault>& out) const;
  void collect(std::vector<config_fault>& out) const;
  void collect(std::vector<config_key>& out) const;
};

} // namespace troupe
