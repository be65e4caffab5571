#pragma once

#include "messages/test.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace troupe {

/// Returns a fault if a test cannot be carried out as asked, before anything
/// starts: what reaches a command line or a file obeys a rule first.
/// Errors: `ec::invalid_argument` with the field path, `ec::unsupported`.
caf::error check_test(const test_spec& spec);

/// True if a key is ASCII-armored text; else it is a URL.
bool is_armored(std::string_view gpg_key);

/// True if fetching from this repository (or its key) needs the authorities of TLS.
bool needs_https(const repository& source);

/// Returns the line for apt: a whole line is kept, its options completed; a base URL is a flat
/// repository. `key_file` empty = the packages are trusted unverified.
std::string apt_line(const repository& source, std::string_view arch, std::string_view key_file);

/// Returns the names of the repositories: unnamed ones are "repo-0", "repo-1", ... ; no two are the
/// same, and each is fit for a file name and a section of a .repo file.
std::vector<std::string> repository_names(const std::vector<repository>& sources);

/// Returns the text of a .repo file. `key` empty = the packages are not verified.
std::string repo_file(std::string_view name, const repository& source, std::string_view key);

/// Returns what must never be shown: secret variables, passwords in URLs.
std::vector<std::string> secrets_of(const test_spec& spec);

/// Returns "user:pass" and "pass" of a URL, also percent-decoded; nothing if it has none.
std::vector<std::string> url_secrets(std::string_view url);

} // namespace troupe
