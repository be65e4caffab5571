#include "nodes/node_options.hpp"

#include "messages/text_rule.hpp"

#include <unistd.h>

#include <array>

namespace troupe {

namespace {

std::string host_name() {
  auto out = std::array<char, 256>{};
  if (gethostname(out.data(), out.size() - 1) != 0 || !obeys("word", out.data()))
    return "node";
  return out.data();
}

} // namespace

node_options read_node_options(section& root) {
  auto out = node_options{};
  out.name = host_name();
  auto in = root.child("node");
  in.read("name", out.name);
  if (!obeys("word", out.name))
    in.complain("name", "must be letters, digits, '.', '_' and '-'");
  in.read("data", out.data);
  auto level = std::string{"info"};
  in.read("log", level);
  if (level == "debug")
    out.log = log_level::debug;
  else if (level == "warning")
    out.log = log_level::warning;
  else if (level == "error")
    out.log = log_level::error;
  else if (level != "info")
    in.complain("log", "must be debug, info, warning or error");
  in.read("drain_limit", out.drain_limit);
  return out;
}

} // namespace troupe
