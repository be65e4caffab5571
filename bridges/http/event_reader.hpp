#pragma once

#include "bridges/http/client.hpp"

#include <string>
#include <string_view>

namespace troupe {

/// Cuts the events out of a stream of bytes. Source: WHATWG HTML 9.2.6.
class event_reader {
public:
  /// Reads a piece and tells of each event that it completes; false if
  /// `on_event` wanted no more, or a line or an event is over 16 MiB.
  bool feed(std::string_view bytes, const event_callback& on_event);

private:
  bool read_line(std::string_view line, const event_callback& on_event);

  std::string line_;
  server_event event_;
  bool has_text_ = false;
};

} // namespace troupe
