#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace troupe {

/// Returns unpadded base64url. Source: RFC 7515 2, RFC 4648 5.
std::string to_base64url(std::string_view bytes);

/// Reads unpadded base64url, strictly: no other characters, no stray bits in
/// the last one, so that every value has exactly one text.
std::optional<std::string> from_base64url(std::string_view text);

} // namespace troupe
