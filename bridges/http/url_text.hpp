#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace troupe {

/// Decodes a path. Refused: broken escapes, control characters, an escaped '/'
/// or '\', "." and ".." segments, bytes that are not UTF-8.
std::optional<std::string> decode_path(std::string_view raw);

/// Decodes "a=1&b=x+y". Refused: broken escapes, control characters, bytes that
/// are not UTF-8.
std::optional<std::multimap<std::string, std::string>> decode_query(std::string_view raw);

/// True if `text` is UTF-8 without overlong forms and surrogates.
bool is_utf8(std::string_view text);

} // namespace troupe
