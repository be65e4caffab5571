#pragma once

#include "messages/error.hpp"

#include <string>

namespace troupe {

/// Returns the node's own token secret, made at the first call: 64 random
/// hexadecimal digits in `<folder>/token-secret`, readable by the owner only, so
/// that `troupe` on the same machine finds it. Errors: `ec::unavailable`.
caf::expected<std::string> own_token_secret(const std::string& folder);

/// Replaces a file so that a reader sees the old or the new text, never a part.
/// Errors: `ec::unavailable`.
caf::error write_whole_file(const std::string& path, const std::string& text, unsigned mode);

} // namespace troupe
