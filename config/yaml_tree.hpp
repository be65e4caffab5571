#pragma once

#include "messages/error.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace troupe {

/// One value of a YAML document with its place. Only what a configuration
/// needs: no anchors, no aliases, no tags.
struct yaml_value {
  enum class kind { null, scalar, list, mapping };
  struct entry;

  kind what = kind::null;
  std::string text;              ///< Of a scalar.
  bool quoted = false;           ///< A quoted scalar is text, never a number or a truth value.
  int line = 1;                  ///< From 1.
  int column = 1;                ///< From 1.
  std::vector<yaml_value> items; ///< Of a list.
  std::vector<entry> entries;    ///< Of a mapping, in file order, each key once.
  std::vector<entry> duplicates; ///< Keys that came again; their values are not kept.

  const yaml_value* find(std::string_view key) const;
};

struct yaml_value::entry {
  std::string key;
  int line = 1;
  int column = 1;
  yaml_value value;
};

/// What a configuration file may be. Source: spec/reliability_security.md S11.
struct yaml_limits {
  size_t bytes = 1 << 20;
  size_t nodes = 100'000;
  size_t depth = 32;
};

/// Reads one YAML document. Limits hold while it is read, so nothing large is
/// ever built; aliases and anchors are refused at the first one.
/// Errors: `ec::invalid_config`, the place is "name:line:column".
caf::expected<yaml_value> parse_yaml(std::string_view text, const std::string& name,
                                     yaml_limits limits = {});

} // namespace troupe
