#pragma once

#include <string>
#include <string_view>

namespace troupe {

/// Returns `text` such that it cannot move a cursor, forge a line or hide
/// itself: control characters, marks that change the direction of writing and
/// bytes that are not UTF-8 become "\n", "\xNN" or "\u{NNNN}". Characters in
/// `keep` stay as they are. A backslash stays single, so this is for eyes.
std::string printable(std::string_view text, std::string_view keep = "");

/// Returns `text` with "//user:password@" of URLs as "//[masked]@".
std::string without_userinfo(std::string_view text);

} // namespace troupe
