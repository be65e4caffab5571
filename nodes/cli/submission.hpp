#pragma once

#include "messages/json.hpp"

#include <optional>
#include <string>
#include <vector>

namespace troupe::cli {

/// What `submit` was told on the command line.
struct submission {
  std::string package;
  std::string dist = "debian:12";
  std::string arch; ///< Empty = this machine's.
  std::string version;
  std::string runner = "any";
  std::vector<std::string> repositories; ///< "NAME=URL" or "URL".
  std::vector<std::string> gpg_keys;     ///< "FILE" for all repositories, or "NAME=FILE" for one.
  std::vector<std::string> tests;        ///< Files with scripts.
  std::vector<std::string> variables;    ///< "NAME=value".
  std::vector<std::string> secrets;      ///< Names of variables of our own environment.
  std::optional<int32_t> priority;
};

/// Returns the body of POST /jobs; reads the files and variables that are named.
/// Errors: `ec::invalid_argument`, the place is the option.
caf::expected<json> submission_body(const submission& in);

/// Returns this machine's architecture as the kernel names it.
std::string machine_architecture();

} // namespace troupe::cli
