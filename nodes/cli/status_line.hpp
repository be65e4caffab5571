#pragma once

#include "nodes/cli/terminal.hpp"

#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

namespace troupe::cli {

/// The last line of a live terminal, drawn again ten times a second, with a
/// spinner; on anything else only what `print` gets is written.
///
/// Threads: any; `text` is called with the lock held.
class status_line {
public:
  explicit status_line(const terminal& io);
  ~status_line();
  status_line(const status_line&) = delete;
  status_line& operator=(const status_line&) = delete;

  /// From now on the line shows what `text` returns; nothing shows nothing.
  void show(std::function<std::string()> text);

  /// Writes above the line. `text` ends with a newline.
  void print(std::string_view text);

private:
  void draw();
  void erase();

  const terminal& io_;
  std::mutex mutex_;
  std::condition_variable_any wakeup_;
  std::function<std::string()> text_;
  bool drawn_ = false;
  size_t frame_ = 0;
  std::jthread ticker_;
};

} // namespace troupe::cli
