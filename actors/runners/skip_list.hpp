#pragma once

#include "messages/codec.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace troupe {

/// One rule of what is not tested. Patterns are shell globs.
struct skip_entry {
  std::string package;    ///< Pattern of the package's name.
  std::string dist = "*"; ///< Of "almalinux-9.4", "almalinux-9" or "almalinux".
  std::string arch = "*";
  std::vector<std::string> stages; ///< Patterns; empty = the whole package.
  std::string reason;              ///< Shown to people.
  caf::timestamp expires{};        ///< From then on the rule is void.

  static constexpr auto type_name = "troupe::skip_entry";
  static constexpr auto fields = std::tuple{
    field{"package", &skip_entry::package, {.required = true, .max_size = 256}},
    field{"dist", &skip_entry::dist, {.max_size = 256}},
    field{"arch", &skip_entry::arch, {.max_size = 64}},
    field{"stages", &skip_entry::stages, {.max_size = 64}},
    field{"reason", &skip_entry::reason, {.pattern = "line", .max_size = 1024}},
    field{"expires", &skip_entry::expires},
  };
};

/// What a rule is matched against.
struct skip_subject {
  std::string package;
  std::string dist_name;
  std::string dist_version;
  std::string arch;
};

/// The rules of what is not tested. Source: spec/testing.md 1.2, 6.3.
class skip_list {
public:
  /// Reads `[{"package": ..., "dist": ..., ...}, ...]`, or the original's form
  /// `{"almalinux-8": {"curl": ["run_package_integrity_tests"]}}` where a name
  /// matches by its start. Errors: `ec::invalid_argument` with the field path.
  static caf::expected<skip_list> from_text(std::string_view text);

  /// Reads a file. Errors: `ec::not_found`, and as `from_text`.
  static caf::expected<skip_list> from_file(const std::string& path);

  /// Returns the rule that takes out the whole package, or null.
  const skip_entry* rejects(const skip_subject& what, caf::timestamp at) const;

  /// Returns the rule that takes out one stage, or null.
  const skip_entry* skips(const skip_subject& what, std::string_view stage,
                          caf::timestamp at) const;

private:
  std::vector<skip_entry> entries_;
};

} // namespace troupe
