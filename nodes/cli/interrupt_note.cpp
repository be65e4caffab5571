#include "nodes/cli/interrupt_note.hpp"

#include "nodes/cli/exit_code.hpp"

#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstring>

namespace troupe::cli {

namespace {

// Written before the handler is set and only read in it.
char noted_text[1024];
size_t note_size = 0;

void on_interrupt(int) {
  static_cast<void>(!::write(STDERR_FILENO, noted_text, note_size));
  ::_exit(exit_code::interrupted);
}

} // namespace

interrupt_note::interrupt_note(const std::string& text) {
  note_size = std::min(text.size(), sizeof noted_text);
  std::memcpy(noted_text, text.data(), note_size);
  std::signal(SIGINT, on_interrupt);
}

interrupt_note::~interrupt_note() {
  std::signal(SIGINT, SIG_DFL);
}

} // namespace troupe::cli
