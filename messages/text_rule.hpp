#pragma once

#include <string_view>

namespace troupe {

/// Whether `text` obeys the named rule. Source: spec/reliability_security.md S6,
/// spec/testing.md 3.8.
///
/// - "name": `[A-Za-z0-9][A-Za-z0-9+._:~-]{0,127}`: packages, versions, files, tests
/// - "word": `[A-Za-z0-9][A-Za-z0-9._-]{0,127}`: distributions, runners, queues, stages
/// - "git_ref": `[A-Za-z0-9][A-Za-z0-9._/-]*` without ".."
/// - "variable": `[A-Za-z_][A-Za-z0-9_]*`
/// - "line": no C0 control character, no DEL
/// - "path": relative, no empty, "." or ".." part, no control character
///
/// The empty rule accepts everything; empty text is accepted by "line" only.
bool obeys(std::string_view rule, std::string_view text);

} // namespace troupe
