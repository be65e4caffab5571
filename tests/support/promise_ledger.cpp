/// promise-ledger FILE: appends each line of its input to FILE and answers "ok"
/// when the line is on disk. A process of its own, so that no fault of the test
/// or of the node can take back what was promised.
#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <iostream>
#include <string>

int main(int argc, char** argv) {
  if (argc != 2)
    return 2;
  auto fd = open(argv[1], O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (fd < 0)
    return 3;
  for (auto line = std::string{}; std::getline(std::cin, line);) {
    line += '\n';
    if (write(fd, line.data(), line.size()) != static_cast<ssize_t>(line.size())
        || fdatasync(fd) != 0)
      return 4;
    std::cout << "ok" << std::endl;
  }
  return 0;
}
