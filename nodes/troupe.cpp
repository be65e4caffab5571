/// troupe: the client.
#include "nodes/cli/program.hpp"

#include <csignal>

int main(int argc, char** argv) {
  // A node that dies while we write to it must not end us; a reader that leaves
  // ("troupe ls | head") shows as an error of the stream.
  std::signal(SIGPIPE, SIG_IGN);
  return troupe::cli::run_client({argv + 1, argv + argc}, troupe::cli::process_terminal());
}
