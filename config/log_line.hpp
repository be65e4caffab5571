#pragma once

#include "config/log.hpp"

#include <caf/timestamp.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace troupe {

/// What every line of a process shares.
struct log_context {
  std::string node;
  std::vector<std::string> secrets; ///< Longest first.
};

/// Returns one logfmt line without its end.
std::string log_line(caf::timestamp at, log_level level, const log_context& context,
                     std::string_view actor, std::string_view message,
                     std::initializer_list<log_field> fields);

/// Returns `text` with every secret as "[masked]".
std::string masked(std::string_view text, const std::vector<std::string>& secrets);

} // namespace troupe
