#include "bridges/http/connection.hpp"

namespace troupe {

http_connection::time http_connection::deadline(const http_options& limits) const {
  switch (now) {
    case phase::reading:
      if (framer.now() == request_framer::state::body)
        return due;
      // A new client owes us a request; one that had an answer may think about the next.
      return since + (head_begun || first ? limits.header_time : limits.idle_time);
    case phase::working:
    case phase::closed: return never;
    case phase::writing: return due;
    case phase::streaming: return unsent.empty() ? never : due;
    case phase::lingering: return since + limits.linger_time;
  }
  return never;
}

} // namespace troupe
