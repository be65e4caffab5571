#pragma once

#include "actors/runners/dist_family.hpp"
#include "actors/runners/package_session.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace troupe {

/// One installed version of a package.
struct installed_package {
  std::string version; ///< deb: the whole version; rpm: "version-release".
  std::string epoch;   ///< rpm only; "" = none.
};

/// What differs between families of distributions. Every function is a part
/// of one stage and returns how that stage ends if it cannot go on.
class package_family {
public:
  virtual ~package_family() = default;

  /// Adds the repositories and brings the lists of packages up to date.
  virtual stage_end provision(package_session& s) = 0;

  /// The script that shows the system; its first parameter is the limit per command in seconds.
  virtual std::string_view info_script() const = 0;

  /// Installs the package of the spec.
  virtual stage_end install(package_session& s) = 0;

  /// Installs a tool that a test needs.
  virtual stage_end install_tool(package_session& s, const std::string& name) = 0;

  /// Finds what is installed under the package's name; leaves `out` empty if nothing is.
  virtual stage_end find(package_session& s, std::vector<installed_package>& out) = 0;

  /// True if `found` is the version that the spec asks for.
  virtual bool is_asked_for(const test_spec& spec, const installed_package& found) const = 0;

  /// Lists the absolute paths of the package's files.
  virtual stage_end list_files(package_session& s, std::vector<std::string>& out) = 0;

  /// Removes the package, whatever depends on it; protected ones are skipped.
  virtual stage_end uninstall(package_session& s) = 0;
};

/// Returns the family's rules for one run. Errors: `ec::unsupported`.
caf::expected<std::unique_ptr<package_family>> make_package_family(const test_spec& spec);

std::unique_ptr<package_family> make_deb_family(const test_spec& spec);
std::unique_ptr<package_family> make_rpm_family(const test_spec& spec);

/// Returns the lines of `text` that are absolute paths.
std::vector<std::string> paths_in(std::string_view text);

/// Returns the fields of a line, separated by spaces.
std::vector<std::string> words_in(std::string_view line);

} // namespace troupe
