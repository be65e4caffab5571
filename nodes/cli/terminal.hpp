#pragma once

#include <iosfwd>
#include <string>
#include <string_view>

namespace troupe::cli {

enum class color : unsigned char { none, red, green, yellow, blue, grey };

/// Where the client writes, and what the other end can show.
struct terminal {
  std::ostream& out;
  std::ostream& err;
  bool live = false;   ///< `out` is a tty: a line may be drawn again.
  bool colors = false; ///< Colors may be used.

  /// Returns `text` in a color, if colors may be used.
  std::string paint(color c, std::string_view text) const;
};

/// Returns the process's own streams; colors only on a tty, without NO_COLOR and with a TERM other
/// than "dumb".
terminal process_terminal();

} // namespace troupe::cli
