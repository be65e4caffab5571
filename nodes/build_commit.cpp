#include "nodes/build_commit.hpp"

namespace troupe {

const char* build_commit() {
  return TROUPE_COMMIT;
}

} // namespace troupe
