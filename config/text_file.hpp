#pragma once

#include "messages/error.hpp"

#include <string>

namespace troupe {

/// Returns the content of a regular file. Errors: `ec::not_found`,
/// `ec::too_large`, `ec::unavailable` (with the system's text). Blocks.
caf::expected<std::string> read_text_file(const std::string& path, size_t max_bytes);

} // namespace troupe
