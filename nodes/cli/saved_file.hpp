#pragma once

#include "messages/error.hpp"

#include <string>
#include <string_view>

namespace troupe::cli {

/// Writes a file whole or not at all: beside its place first, then renamed. What is there already
/// and no regular file (a pipe, /dev/null) is written to as it is.
/// Errors: `ec::invalid_argument` with the path and the system's text.
caf::error save_file(const std::string& path, std::string_view bytes);

} // namespace troupe::cli
