/// troupe: the client.
#include "nodes/cli/program.hpp"

#include <csignal>

int main(int argc, char** argv) {
  // A reader that leaves ("troupe ls | head") ends us by an error of the stream.
  std::signal(SIGPIPE, SIG_DFL);
  return troupe::cli::run_client({argv + 1, argv + argc}, troupe::cli::process_terminal());
}
