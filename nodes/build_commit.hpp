#pragma once

namespace troupe {

/// Returns the commit that the program was built of, "unknown" outside of a repository.
const char* build_commit();

} // namespace troupe
