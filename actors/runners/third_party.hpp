#pragma once

#include "actors/runners/package_family.hpp"

namespace troupe {

/// How a test file is executed. Source: spec/testing.md 2.5.
struct test_executor {
  std::vector<std::string> argv; ///< Before the path of the file.
  std::string tool;              ///< What must be installed for it; "" = nothing.
  bool optional = false;         ///< Without the tool the test is skipped.
};

/// Chooses by suffix, else by the "#!" line, else bash.
test_executor executor_of(std::string_view file_name, std::string_view text);

/// Returns the names of the stages "third_party.<name>", one per test, no two the same.
std::vector<std::string> third_party_names(const std::vector<third_party_test>& tests);

/// Runs one further test: a script, or the files of a git repository.
///
/// Exit code 0 passes, 77 skips. Output that is TAP must agree: a "not ok"
/// without TODO or SKIP fails the test even if it exits with 0.
/// `reinstall`: the package is installed again first if an earlier test removed it.
stage_end run_third_party(package_session& s, package_family& family, const third_party_test& test,
                          const std::string& name, bool reinstall);

} // namespace troupe
