#pragma once

#include <CLI/App.hpp>

#include <string>

namespace troupe::cli {

/// Returns the completion script for bash: verbs, their options, their fixed
/// words, and ids of recent jobs where a job is wanted.
std::string bash_completion(const CLI::App& app);

} // namespace troupe::cli
