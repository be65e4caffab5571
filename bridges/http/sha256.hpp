#pragma once

#include <string>
#include <string_view>

namespace troupe {

/// Returns the SHA-256 of some bytes as 64 lower-case hexadecimal digits.
std::string sha256_text(std::string_view bytes);

} // namespace troupe
