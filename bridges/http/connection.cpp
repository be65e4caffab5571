#include "bridges/http/connection.hpp"

#include <algorithm>

namespace troupe {

namespace {

/// The time that `bytes` may take at the slowest pace that we accept.
std::chrono::milliseconds at_least_pace(size_t bytes, const http_options& limits) {
  return std::chrono::milliseconds{bytes * 1000 / std::max<size_t>(limits.min_body_rate, 1)};
}

} // namespace

http_connection::time http_connection::deadline(const http_options& limits) const {
  switch (now) {
    case phase::reading:
      if (framer.now() == request_framer::state::body)
        return since + limits.header_time + at_least_pace(framer.received(), limits);
      // A new client owes us a request; one that had an answer may think about the next.
      return since + (head_begun || first ? limits.header_time : limits.idle_time);
    case phase::working:
    case phase::closed: return never;
    case phase::writing: return since + limits.write_time + at_least_pace(sent, limits);
    case phase::streaming: return unsent.empty() ? never : since + limits.write_time;
    case phase::lingering: return since + limits.linger_time;
  }
  return never;
}

} // namespace troupe
