#pragma once

#include "actors/runners/environment.hpp"
#include "actors/runners/package_test.hpp"

#include <caf/expected.hpp>

namespace troupe {

/// Files of a git repository at one commit.
struct git_source {
  std::string url; ///< http or https.
  std::string ref; ///< Branch, tag, commit, or for Gerrit "review/patchset".
};

/// Returns the ref that is fetched: Gerrit's "1234/5" is "refs/changes/34/1234/5".
std::string fetched_ref(const git_source& what);

/// Fetches one commit on this host and returns its regular files with paths relative to the
/// repository; symlinks and what is over 64 MiB or 20,000 files in all are refused or left out.
/// The default ref "master" falls back to the repository's own default branch.
/// Errors: `ec::unavailable` after the last attempt, `ec::canceled`, `ec::too_large`.
/// Threads: blocks. `say` sees git's output.
caf::expected<std::vector<environment_file>>
checkout_files(const git_source& what, const package_test_options& options, std::stop_token stop,
               const std::function<void(std::string_view)>& say);

/// Kills what clones of a dead process left running under this folder and removes their folders.
void sweep_clones(const std::string& work_folder);

} // namespace troupe
