#include "messages/json.hpp"
#include "nodes/cli/program.hpp"

#include <CLI/CLI.hpp>

#include <ostream>

namespace troupe::cli {

void add_version(program& p) {
  auto verb = p.verb("version", "Print the version", "  troupe version --json\n");
  verb->callback([&p] {
    if (p.options.json)
      write_line(p.io, json_text({{"name", "troupe"}, {"version", "0.1.0"}}));
    else
      p.io.out << "troupe 0.1.0\n";
  });
}

} // namespace troupe::cli
