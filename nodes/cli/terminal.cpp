#include "nodes/cli/terminal.hpp"

#include <unistd.h>

#include <array>
#include <cstdlib>
#include <iostream>

namespace troupe::cli {

std::string terminal::paint(color c, std::string_view text) const {
  constexpr auto codes = std::array<std::string_view, 6>{"", "31", "32", "33", "34", "90"};
  if (!colors || c == color::none || text.empty())
    return std::string{text};
  return "\x1b[" + std::string{codes[static_cast<size_t>(c)]} + 'm' + std::string{text} + "\x1b[0m";
}

terminal process_terminal() {
  auto tty = ::isatty(STDOUT_FILENO) == 1;
  auto no_color = std::getenv("NO_COLOR");
  auto term = std::getenv("TERM");
  auto able = term && std::string_view{term} != "dumb";
  return {std::cout, std::cerr, tty && able, tty && able && !(no_color && *no_color)};
}

} // namespace troupe::cli
