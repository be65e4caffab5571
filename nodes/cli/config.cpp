#include "nodes/cli/exit_code.hpp"
#include "nodes/cli/program.hpp"
#include "nodes/cli/table.hpp"
#include "nodes/config_check.hpp"

#include <CLI/CLI.hpp>

#include <ostream>

namespace troupe::cli {

namespace {

void check(program& p, const std::vector<std::string>& files, named_files how) {
  auto all = json::array();
  for (const auto& file : files) {
    auto faults = check_node_config(file, how);
    for (const auto& f : faults) {
      all.push_back({{"file", f.file},
                     {"line", f.line},
                     {"column", f.column},
                     {"key", f.key},
                     {"text", f.text}});
      if (!p.options.json)
        p.io.out << to_string(f) << '\n';
    }
    if (!p.options.json && faults.empty())
      p.io.out << file << ": " << p.io.paint(color::green, "ok") << '\n';
  }
  if (p.options.json)
    write_line(p.io, json_text(all));
  if (!all.empty())
    p.exit_code = exit_code::bad_input;
}

void show(program& p) {
  auto keys = known_node_keys();
  if (p.options.json) {
    auto all = json::array();
    for (const auto& k : keys)
      all.push_back({{"key", k.key}, {"kind", k.kind}, {"default", k.standard}});
    return write_line(p.io, json_text(all));
  }
  auto rows = std::vector<std::vector<cell>>{};
  for (const auto& k : keys)
    rows.push_back({{k.key}, {k.standard}, {k.kind}});
  p.io.out << table_text(p.io, {"KEY", "DEFAULT", "KIND"}, rows, 64);
}

} // namespace

void add_config(program& p) {
  auto verb = p.verb("config", "Check a node's configuration, or show every key",
                     "  troupe config check node.yaml\n"
                     "  troupe config check /etc/troupe/*.yaml --json\n"
                     "  troupe config check other_host.yaml --keys-only\n"
                     "  troupe config show\n");
  verb->require_subcommand(1);
  auto files = std::make_shared<std::vector<std::string>>();
  auto checks = verb->add_subcommand(
    "check", "Report all faults of the files with their places; exit code 2 if there are any");
  checks->add_option("FILE", *files, "Configuration files")->required();
  auto keys_only = std::make_shared<bool>(false);
  checks->add_flag("--keys-only", *keys_only,
                   "Do not open the files that they name, which may be on another host");
  checks->callback([&p, files, keys_only] {
    check(p, *files, *keys_only ? named_files::left : named_files::opened);
  });
  auto shows = verb->add_subcommand("show", "List every key with its default");
  shows->callback([&p] { show(p); });
}

} // namespace troupe::cli
