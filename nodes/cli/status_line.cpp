#include "nodes/cli/status_line.hpp"

#include "nodes/cli/table.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <chrono>
#include <ostream>

namespace troupe::cli {

namespace {

size_t columns() {
  auto size = winsize{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col < 10)
    return 80;
  return size.ws_col;
}

} // namespace

status_line::status_line(const terminal& io) : io_{io} {
  if (!io_.live)
    return;
  ticker_ = std::jthread{[this](std::stop_token stop) {
    auto lock = std::unique_lock{mutex_};
    while (!stop.stop_requested()) {
      draw();
      wakeup_.wait_for(lock, stop, std::chrono::milliseconds{100}, [] { return false; });
    }
  }};
}

status_line::~status_line() {
  if (ticker_.joinable()) {
    ticker_.request_stop();
    ticker_.join();
  }
  erase();
}

void status_line::show(std::function<std::string()> text) {
  auto lock = std::lock_guard{mutex_};
  text_ = std::move(text);
}

void status_line::print(std::string_view text) {
  auto lock = std::lock_guard{mutex_};
  erase();
  io_.out << text << std::flush;
}

void status_line::draw() {
  auto text = text_ ? text_() : std::string{};
  erase();
  if (text.empty())
    return;
  constexpr auto frames = std::string_view{"|/-\\"};
  io_.out << frames[frame_++ % frames.size()] << ' ' << cut_to(text, columns() - 3) << std::flush;
  drawn_ = true;
}

void status_line::erase() {
  if (drawn_)
    io_.out << "\r\x1b[K" << std::flush;
  drawn_ = false;
}

} // namespace troupe::cli
