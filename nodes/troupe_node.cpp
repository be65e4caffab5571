/// troupe-node: plays any roles of Troupe on this host.
#include "nodes/config_check.hpp"
#include "nodes/node.hpp"

#include <CLI/CLI.hpp>

int main(int argc, char** argv) {
  auto app =
    CLI::App{"Plays the roles of a Troupe node; with no configuration all of them, data in "
             "./troupe-data, HTTP on 127.0.0.1:8000."};
  auto config = std::string{};
  auto check = false;
  app.add_option("-c,--config", config, "Configuration file (see config/examples)")
    ->check(CLI::ExistingFile);
  app.add_flag("--check", check,
               "Only check the configuration and the files that it names; exit 0 or 2");
  app.set_version_flag("--version", "troupe-node 0.1.0");
  app.footer(
    "Examples:\n"
    "  troupe-node                          everything in one process\n"
    "  troupe-node --config node.yaml       the roles that the file lists\n"
    "  troupe-node --config node.yaml --check\n\n"
    "Exit codes: 0 clean stop, 2 bad configuration, 3 a role failed to start or another\n"
    "node uses the data folder, 4 roles did not drain or end in time, 70 a role could not\n"
    "be kept up.");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& why) {
    return app.exit(why) == 0 ? 0 : 2;
  }
  if (!check)
    return troupe::run_node(config);
  auto faults = config.empty() ? troupe::check_node_config(troupe::section{})
                               : troupe::check_node_config(config);
  for (const auto& x : faults)
    std::cerr << to_string(x) << '\n';
  return faults.empty() ? 0 : 2;
}
