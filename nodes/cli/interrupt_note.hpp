#pragma once

#include <string>

namespace troupe::cli {

/// While it lives, Ctrl-C says how to go on and ends the process with 130. The
/// job on the server is not touched. One at a time.
class interrupt_note {
public:
  explicit interrupt_note(const std::string& text);
  ~interrupt_note();
  interrupt_note(const interrupt_note&) = delete;
  interrupt_note& operator=(const interrupt_note&) = delete;
};

} // namespace troupe::cli
